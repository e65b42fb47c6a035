"""The commands and the admin's actions that publish, check and unpublish a feed, against a PDS over real HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from atsite.core.config import config
from feeds.management.commands import publish_feed
from feeds.models import FeedDefinition
from feeds.publishing import actions, network
from feeds.publishing.actions import Outcome, act
from feeds.serving import registry
from tests.core.identity.network import document
from tests.core.pds.test_client import ALICE, GENERATOR, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = "did:web:feeds.example"
URI = f"at://{ALICE}/{GENERATOR}/hot"


class Site(Server):
    """The PDS of Alice, and the directory that knows her did document. `signed_in`: the sessions that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.signed_in = 0
        self.has_pds = True

    def answer(self, path: str, authorization: str, body: Any) -> tuple[int, object]:
        if path == f"/{ALICE}":
            pds = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
            return 200, {**document(ALICE, "alice.test"), "service": [pds] if self.has_pds else []}
        status, content = super().answer(path, authorization, body)
        if status == 200:
            self.signed_in += path.endswith("createSession") - path.endswith("deleteSession")
        return status, content

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def _in_a_thread(server: Site) -> Iterator[None]:
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def run() -> None:
        listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
        server.port = listener.sockets[0].getsockname()[1]
        async with listener:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@pytest.fixture
def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site that may publish one feed, `hot`."""
    server = Site()
    with _in_a_thread(server):
        _configure(monkeypatch, server)
        FeedDefinition.objects.create(rkey="hot", kind="hot", display_name="Hot")
        yield server


def _configure(monkeypatch: pytest.MonkeyPatch, server: Site, **changes: str) -> None:
    settings: dict[str, Any] = {
        "feed_actor_did": ALICE,
        "publisher_app_password": "good",
        "plc_url": server.url,
        "service_endpoint": "https://feeds.example",
        "service_did": SERVICE,
        **changes,
    }
    changed = dataclasses.replace(config, allow_loopback=True, **settings)
    for module in (actions, network, registry, publish_feed):
        monkeypatch.setattr(module, "config", changed)


def said(command: str, rkey: str) -> str:
    output = StringIO()
    call_command(command, rkey, stdout=output)
    return output.getvalue()


def test_a_feed_is_published_and_unpublished_and_the_session_ends_each_time(site: Site) -> None:
    assert said("publish_feed", "hot") == f"published {URI}, served by {SERVICE}\nnext: manage.py check_feed hot\n"
    record = site.records["hot"]
    assert (record["did"], record["displayName"]) == (SERVICE, "Hot")
    assert said("unpublish_feed", "hot") == "unpublished\n"
    assert (site.records, site.signed_in) == ({}, 0)
    assert said("unpublish_feed", "hot") == "there was no such record; nothing to do\n"
    assert site.signed_in == 0


def test_the_admin_publishes_and_unpublishes_a_feed(site: Site) -> None:
    row = FeedDefinition.objects.get(rkey="hot")
    assert act(row, "publish") == Outcome("Published: apps find it within a minute.", changed=True)
    assert list(site.records) == ["hot"]
    assert act(row, "unpublish") == Outcome("Unpublished: apps stop finding the feed.", changed=True)
    assert site.records == {}
    assert act(row, "other") == Outcome("Unknown action.", wrong=True)


def test_a_check_names_each_step_and_ends_with_what_is_wrong(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(monkeypatch, site, service_endpoint=site.url, service_did=f"did:web:localhost%3A{site.port}")
    with pytest.raises(CommandError, match=r"[2-4] of 4 steps are wrong") as wrong:
        call_command("check_feed", "hot")
    lines = capsys.readouterr().out.splitlines()
    marks = [line.split()[0] for line in lines if not line.startswith("  ")]
    assert (len(marks), set(marks) <= {"good", "wrong"}) == (4, True)
    outcome = act(FeedDefinition.objects.get(rkey="hot"), "check")
    assert (outcome.sentence, outcome.wrong, outcome.changed) == (f"{wrong.value}.", True, False)
    assert ["wrong" if finding.problem else "good" for finding in outcome.findings] == marks


@pytest.mark.parametrize(
    ("command", "changes", "sentence"),
    [
        ("publish_feed", {"service_did": ""}, "set SERVICE_ENDPOINT to the public https:// address"),
        ("publish_feed", {"publisher_app_password": ""}, "set FEED_ACTOR_DID to the account that publishes"),
        ("unpublish_feed", {"feed_actor_did": ""}, "set FEED_ACTOR_DID to the account that publishes"),
        ("publish_feed", {"publisher_app_password": "bad"}, "Invalid identifier or password"),
        ("unpublish_feed", {"publisher_app_password": "bad"}, "Invalid identifier or password"),
    ],
)
def test_a_command_says_why_it_cannot(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: str, changes: dict[str, str], sentence: str
) -> None:
    _configure(monkeypatch, site, **changes)
    with pytest.raises(CommandError, match=sentence):
        call_command(command, "hot")
    assert site.records == {}


def test_an_account_without_a_pds_and_a_wrong_password_are_told_in_the_admin(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = FeedDefinition.objects.get(rkey="hot")
    site.has_pds = False
    assert act(row, "publish") == Outcome(f"{ALICE} has no PDS in its did document", wrong=True)
    site.has_pds = True
    _configure(monkeypatch, site, publisher_app_password="bad")
    outcome = act(row, "unpublish")
    assert ("Invalid identifier or password" in outcome.sentence, outcome.wrong) == (True, True)


def test_a_feed_of_another_account_and_missing_settings_are_named_before_anything_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _configure(monkeypatch, site, feed_actor_did="", publisher_app_password="", service_endpoint="")
    row = FeedDefinition.objects.get(rkey="hot")
    named = [sentence.split(":")[0] for sentence in actions.requirements(row).missing]
    assert named == [
        "FEED_ACTOR_DID",
        "SERVICE_ENDPOINT",
        "PUBLISHER_APP_PASSWORD (or PUBLISHER_APP_PASSWORD_FILE)",
    ]
    assert act(row, "check") == Outcome("FEED_ACTOR_DID is not set, so the feed has no address to check.", wrong=True)
    _configure(monkeypatch, site)
    row.publisher = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
    sentence = f"This feed is published by {row.publisher}, not by FEED_ACTOR_DID: publish it from that account."
    assert act(row, "publish") == Outcome(f"Not possible yet: {sentence}", wrong=True)
