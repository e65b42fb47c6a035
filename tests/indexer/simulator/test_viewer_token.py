"""A token of the demo from the command line to the check, over the simulator's real HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from atsite.core.atproto.service_jwt import BadToken
from atsite.core.atproto.syntax import Handle
from atsite.core.clock import now_us
from atsite.core.config import BASE_DIR, config
from atsite.core.identity import HandleLookup, Resolver, SigningKeys
from atsite.core.outgoing import Client
from atsite.core.web.auth import ServiceAuth
from atsite.management.commands import viewer_token as command
from feeds.models import FeedDefinition
from indexer.simulator.demo import PUBLISHER
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.saved_network import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SKELETON = "app.bsky.feed.getFeedSkeleton"
SEND = "app.bsky.feed.sendInteractions"
DEADLINE_SECONDS = 60
#: What this test session said of its own site is not for the one under test.
NOT_INHERITED = ("ATSITE_ENVIRONMENT", "SERVICE_", "FEED_ACTOR_DID", "DATA_DIR")


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {**inherited, "DATA_DIR": str(data_dir), **variables}


def viewer_token(data_dir: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    command = [sys.executable, "manage.py", "viewer_token", *arguments]
    ended = subprocess.run(
        command,
        cwd=BASE_DIR,
        env=environment(data_dir, **variables),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    return ended.returncode, ended.stdout.strip(), ended.stderr.strip()


@dataclass(frozen=True)
class Demo:
    """A simulated network that runs: its data directory, its address, and the handle of one of its accounts."""

    data_dir: Path
    network: str
    handle: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data_dir = tmp_path_factory.mktemp("demo")
    options = ["--port", "0", "--state", str(data_dir / "simulator"), "--actors", "40", "--rate", "1"]
    simulator = subprocess.Popen(
        [sys.executable, "manage.py", "simulate_jetstream", *options],
        cwd=BASE_DIR,
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert simulator.stdout is not None
        lines = [simulator.stdout.readline() for _ in range(2)]
        found = re.fullmatch(r"did documents and handles of its accounts: (http://127\.0\.0\.1:\d+)\n", lines[1])
        assert found is not None, lines
        timeline = load(data_dir / "simulator")
        yield Demo(data_dir, found[1], Identities(Network(timeline)).example(now_us()))
    finally:
        simulator.kill()
        simulator.communicate()


async def test_a_printed_token_is_good_for_its_account_and_its_method(demo: Demo) -> None:
    code, printed, errors = viewer_token(demo.data_dir, demo.handle)
    assert (code, errors) == (0, "")
    found = re.fullmatch(r"curl -s -H 'Authorization: (Bearer [\w.-]+)' '(.+)'", printed)
    assert found is not None, printed
    feed = f"at://{PUBLISHER}/app.bsky.feed.generator/whats-hot"
    assert found[2] == f"http://127.0.0.1:8094/xrpc/{SKELETON}?feed={feed}"
    async with Client(loopback=True) as client:
        handles = HandleLookup(resolver_url=demo.network, loopback=True)
        resolver = Resolver(client, None, plc_url=demo.network, handles=handles, loopback=True)
        auth = ServiceAuth(audience="did:web:127.0.0.1%3A8094", keys=SigningKeys(resolver, None))
        viewer = await auth.authenticate(found[1], SKELETON, time.time())
        assert viewer is not None
        assert viewer.did == (await resolver.identify(Handle(demo.handle))).did
        assert viewer.token.jti
        with pytest.raises(BadToken):
            await auth.authenticate(found[1], SEND, time.time())


def test_another_feed_another_method_and_another_address_can_be_named(demo: Demo) -> None:
    where = "http://127.0.0.1:9999"
    _, feed, _ = viewer_token(demo.data_dir, f"@{demo.handle.upper()}", "--feed", "a-mpls", SERVICE_ENDPOINT=where)
    assert feed.endswith(f"'{where}/xrpc/{SKELETON}?feed=at://{PUBLISHER}/app.bsky.feed.generator/a-mpls'")
    _, method, _ = viewer_token(demo.data_dir, demo.handle, "--method", SEND)
    assert method.endswith(f"'http://127.0.0.1:8094/xrpc/{SEND}'")


def test_what_cannot_be_is_said_in_one_sentence(demo: Demo, tmp_path: Path) -> None:
    nobody = "CommandError: no account of the demo is nobody.demo.test now; "
    refused = "CommandError: ATSITE_ENVIRONMENT=development is set: only the demo knows the keys of its accounts"
    missing = f"CommandError: there is no demo network in {tmp_path / 'simulator'} yet: run `./just demo` first"
    assert viewer_token(demo.data_dir, demo.handle, ATSITE_ENVIRONMENT="development") == (1, "", refused)
    assert viewer_token(demo.data_dir, "nobody.demo.test") == (1, "", f"{nobody}{demo.handle} is one")
    assert viewer_token(tmp_path, demo.handle) == (1, "", missing)


@pytest.mark.django_db
def test_only_a_feed_that_the_demo_serves_is_read(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "config", replace(config, environment="demo", data_dir=demo.data_dir))
    for row in FeedDefinition.objects.all():  # of data migrations, in the first test of a session
        row.delete()
    for rkey, enabled in (("whats-hot", True), ("a-mpls", False)):
        FeedDefinition(rkey=rkey, kind="hot", display_name=rkey, enabled=enabled).save()
    refused = {
        "nope": "the demo has no feed nope: it serves whats-hot",
        "a-mpls": "the feed a-mpls is switched off: switch it on in the admin (Feeds)",
    }
    for feed, sentence in refused.items():
        with pytest.raises(CommandError, match=f"^{re.escape(sentence)}$"):
            call_command("viewer_token", demo.handle, "--feed", feed)
    call_command("viewer_token", demo.handle, "--feed", "whats-hot", stdout=StringIO())
