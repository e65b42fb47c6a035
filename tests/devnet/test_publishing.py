"""The commands that publish, check and unpublish a feed, at a real PDS and seen by a real AppView."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.embedded.ports import free_port
from feeds.models import FeedDefinition
from labels import membership
from tests.devnet import community, index
from tests.devnet.community import MEMBER, PRIVATE, PUBLIC, STRANGER, flat, of_label
from tests.devnet.site import GENERATOR, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.devnet.site import Site

pytestmark = [pytest.mark.devnet, pytest.mark.slow]


@pytest.fixture(scope="module")
def instructions(site: Site) -> str:
    """The feeds are defined and all is indexed, and nothing is published."""
    post = community.define(site)
    index.await_truth(site.network)
    return post


def record(site: Site, rkey: str) -> dict[str, Any] | None:
    """The generator record in the publisher's repo."""
    return site.network.records(GENERATOR).get(site.uri(rkey))


def findings(output: str) -> list[tuple[str, str]]:
    """Of check_feed's output: mark and step."""
    lines = [line for line in output.splitlines() if line.startswith(("good", "wrong"))]
    return [(line[:5].strip(), line[7:].partition(",")[0].partition(" at://")[0]) for line in lines]


STEPS = ["did document of the service", "describeFeedGenerator", "generator record", "getFeedSkeleton without a token"]


@pytest.mark.usefixtures("instructions")
def test_a_feed_is_published_checked_changed_and_unpublished(site: Site) -> None:
    network = site.network
    before = site.manage("check_feed", PUBLIC)
    assert before.returncode == 1
    assert findings(before.stdout) == list(zip(["good", "good", "wrong", "good"], STEPS, strict=True))
    assert "it does not exist: run publish_feed" in before.stdout

    site.publish(PUBLIC)
    first = record(site, PUBLIC)
    assert first is not None
    assert first | {"createdAt": ""} == {
        "$type": GENERATOR,
        "did": site.service_did,
        "displayName": "TQSP",
        "description": "What the authors of this community post.",
        "acceptsInteractions": True,
        "createdAt": "",
    }
    checked = site.manage("check_feed", PUBLIC)
    assert findings(checked.stdout) == list(zip(["good"] * 4, STEPS, strict=True))
    assert (checked.returncode, checked.stderr) == (0, "")

    FeedDefinition.objects.filter(rkey=PUBLIC).update(display_name="Of us")
    site.publish(PUBLIC)
    assert record(site, PUBLIC) == first | {"displayName": "Of us"}
    seen = network.appview.get("/xrpc/app.bsky.feed.getFeedGenerator", params={"feed": site.uri(PUBLIC)}).json()
    assert (seen["view"]["displayName"], seen["view"]["did"], seen["view"]["acceptsInteractions"]) == (
        "Of us",
        site.service_did,
        True,
    )
    assert flat(site.walk(PUBLIC, MEMBER, limit=50)) == of_label(network, "tqsp")

    done = [site.manage("unpublish_feed", PUBLIC) for _ in range(2)]
    assert [each.stdout for each in done] == ["unpublished\n", "there was no such record; nothing to do\n"]
    assert record(site, PUBLIC) is None
    network.settle()
    assert site.get_feed(PUBLIC, MEMBER).status_code == 400


def test_a_service_under_a_did_of_the_directory_is_read_alike(site: Site, instructions: str, tmp_path: Path) -> None:
    network, port = site.network, free_port()
    made = network.ask(
        "POST",
        "/feedgen",
        account=site.publisher,
        rkey=PRIVATE,
        endpoint=f"http://localhost:{port}",
        didMethod="plc",
    )
    with serving(network, tmp_path, port=port, publisher=site.publisher, SERVICE_DID=made["did"]) as plc:
        assert flat(plc.walk(PRIVATE, MEMBER, limit=10)) == of_label(network, "mpls")
        assert plc.walk(PRIVATE, STRANGER, limit=10) == plc.walk(PRIVATE, None, limit=10) == [[instructions]]
        membership.assign("mpls", network.account(STRANGER).did, by="test")
        assert flat(plc.walk(PRIVATE, STRANGER, limit=10)) == of_label(network, "mpls")
        checked = plc.manage("check_feed", PRIVATE)
        assert (checked.returncode, checked.stderr) == (0, "")
    wrong = site.manage("check_feed", PRIVATE)
    assert findings(wrong.stdout) == list(zip(["good", "good", "wrong", "good"], STEPS, strict=True))
    assert f"it names the service '{made['did']}'" in wrong.stdout


def test_a_password_that_was_revoked_is_said_in_words(site: Site) -> None:
    alone = site.manage("publish_feed", PUBLIC, PUBLISHER_APP_PASSWORD="aaaa-aaaa-aaaa-aaaa")
    assert (alone.returncode, alone.stdout) == (1, "")
    assert "AuthenticationRequired: Invalid identifier or password" in alone.stderr
