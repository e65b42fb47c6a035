"""The site that the benchmarks of the feeds measure: real stores with a simulated network, and readers with tokens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from atsite.core.clock import now_us
from bench.indexer import BASE, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric import ec

    from tests.core.identity.network import Network

PUBLISHER: Final = "did:plc:" + "p" * 24
SERVICE: Final = "did:web:feeds.example.com"
SKELETON: Final = "/xrpc/app.bsky.feed.getFeedSkeleton"
#: The network: a day of it, 8,000 posts among 100,000 events.
ACTORS, EVENTS, HOURS = 2_000, 100_000, 24
MEMBERS: Final = 50
#: The page size of the AppView, and the number of connections.
LIMIT, CONNECTIONS = 30, 16
#: Readers with keys of each curve, and requests, each with a new token.
READERS, TOKENS, WARM_SECONDS = 20, 12_000, 1.0


@dataclass(frozen=True)
class MeasuredSite:
    """Stores that hold a simulated network, and a directory of dids; `engine` is ClickHouse's process id."""

    folder: Path
    directory: Network
    engine: int
    world: dict[str, int]


@contextmanager
def measured_site() -> Iterator[MeasuredSite]:
    """A filled site. Its settings are in the environment, for this process and those it starts."""
    os.environ.update(FEED_ACTOR_DID=PUBLISHER, FEED_MIN_LIKES="2", ALLOW_LOOPBACK="1")
    os.environ["SERVICE_ENDPOINT"] = "https://feeds.example.com"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atsite-bench-")))
        engine = stack.enter_context(stores(folder))
        from tests.core.identity import network as networks

        directory = stack.enter_context(networks.in_a_thread())
        os.environ["PLC_URL"] = directory.url
        yield MeasuredSite(folder, directory, engine, make_world())


def make_world() -> dict[str, int]:
    """Fill the stores with the network, a ranking, and the label of the private feed; returns the numbers of rows."""
    import django

    django.setup()
    from atsite.core.clickhouse import door
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.refresh import refresh
    from feeds.serving.registry import feed_named, ranked_feeds
    from labels import membership

    insert_network(now_us())
    (hot,) = ranked_feeds([feed_named("whats-hot")])
    ranked = refresh(hot, FeedData().generations, now=now_us())
    authors = door.column(
        "SELECT did FROM posts GROUP BY did ORDER BY count() DESC LIMIT {n:UInt32}",
        {"n": MEMBERS},
        name="bench.authors",
    )
    for did in authors:
        membership.assign("mpls", did, by="bench")
    posts = door.scalar("SELECT count() FROM posts FINAL WHERE deleted = 0", name="bench.posts")
    return {"events": EVENTS, "posts": int(posts), "ranked": ranked.posts, "members": len(authors)}


def insert_network(now: int) -> None:
    """The events of the simulated network up to now, in the indexer's blocks."""
    from atsite.core.clickhouse import door
    from indexer.index import records
    from indexer.simulator.network.events import Network
    from indexer.simulator.network.timeline import Timeline
    from indexer.stream.batch import Batcher, Limits
    from indexer.stream.decode import decode

    timeline = Timeline(seed=7, epoch_us=now, actors=ACTORS, preroll_events=EVENTS, preroll_hours=HOURS)
    network, batcher = Network(timeline), Batcher(Limits())
    for number in range(timeline.first_live):
        line = network.event(number)
        batcher.add(decode(line), len(line), 0.0)
        if batcher.is_full or number == timeline.first_live - 1:
            batch = batcher.take()
            door.insert("actor_accounts", records.actor_accounts(batch.accounts), name="bench.accounts")
            identities = [event for event in batch.identities if event.handle]
            door.insert("actor_identities", records.actor_identities(identities), name="bench.identities")
            door.insert("repo_records", records.repo_records(batch.records), name="bench.records")


@contextmanager
def serving(command: list[str], folder: Path, **variables: str) -> Iterator[tuple[int, int]]:
    """A server on a free port with one worker; yields its port and process id."""
    from tests.away import closed_port

    port = closed_port()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], env=os.environ | variables, stdout=log, stderr=log, cwd=BASE
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                ask(port, request_path("whats-hot"))
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.stderr.write((folder / "server.log").read_text())
                    raise
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def address_of(feed: str) -> str:
    return f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}"


def request_path(feed: str, cursor: str = "") -> str:
    return f"{SKELETON}?feed={quote(address_of(feed))}&limit={LIMIT}" + (f"&cursor={quote(cursor)}" if cursor else "")


def request(feed: str, token: str = "", cursor: str = "") -> str:
    """The text of a request, as an AppView sends it."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"GET {request_path(feed, cursor)} HTTP/1.1\r\nHost: feeds.example.com\r\nAccept: application/json\r\n"
        f"Accept-Language: en\r\n{authorization}\r\n"
    )


def ask(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    """Status and body of one answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=10
        ) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def known_readers(port: int, directory: Network, private: ec.EllipticCurvePrivateKey, curve: str) -> list[str]:
    """Accounts that have the private feed's label, with keys that the service has cached."""
    from atsite.core.atproto.keys import public_key_of
    from atsite.core.atproto.syntax import Did
    from labels import membership
    from tests.core.identity.network import document
    from tests.tokens import token

    readers = [f"did:plc:{curve * 20}{'abcdefghijklmnopqrstuvwxyz'[number]}bcd" for number in range(READERS)]
    for reader in readers:
        directory.answers[f"/{reader}"] = document(reader, "reader.test", public_key_of(private).multibase)
        membership.assign("mpls", Did(reader), by="bench")
        while ask(port, request_path("a-mpls"), token(private, iss=reader, aud=SERVICE))[0] != 200:
            time.sleep(0.1)  # only a few new dids per second
    return readers


def tokens(port: int, directory: Network, private: ec.EllipticCurvePrivateKey, curve: str, feed: str) -> list[str]:
    """Requests of known readers, each with a new token."""
    from tests.tokens import token

    readers = known_readers(port, directory, private, curve)
    until = int(time.time()) + 600

    def signed(number: int) -> str:
        return token(private, iss=readers[number % READERS], aud=SERVICE, exp=until, jti=f"{curve}{number}")

    return [request(feed, signed(number)) for number in range(TOKENS)]


def tree(pid: int) -> list[int]:
    """A process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in tree(int(child)))]
