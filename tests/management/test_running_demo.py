"""The running demo as its community is added: over HTTP, from a feed generator that may be busy."""

from __future__ import annotations

import dataclasses
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.config import config
from atsite.management import running_demo
from atsite.management.running_demo import Demo, PartFailed
from tests import builders as b
from tests.core.identity import network as networks
from tests.feeds.worlds import actor
from tests.labels.conftest import network
from tests.rows import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.core.identity.network import Network

__all__ = ["network"]

FEED = "at://did:plc:demodemodemodemodemodemo/app.bsky.feed.generator/"


class Generator:
    """A feed generator: what it answers, one after the other and then the last again, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, object]] = []
        self.asked: list[tuple[str, str, str | None, str | None, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append(
                    (self.command, self.path, self.headers["Content-Type"], self.headers["Authorization"], body)
                )
                status, content = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            do_GET = do_POST = _answer

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.demo = Demo(dataclasses.replace(config, service_endpoint=f"http://127.0.0.1:{self.server.server_port}"))


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Generator]:
    monkeypatch.setattr(running_demo, "LOOK_SECONDS", 0)
    found = Generator()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_a_page_is_asked_for_with_the_token_of_its_reader(generator: Generator) -> None:
    generator.answers = [(200, {"feed": [{"post": "at://a"}, {"post": "at://b"}]})]
    assert generator.demo.posts("one", Authorization="Bearer x") == ["at://a", "at://b"]
    path = f"/xrpc/app.bsky.feed.getFeedSkeleton?feed={FEED.replace(':', '%3A').replace('/', '%2F')}one&limit=50"
    assert generator.asked == [("GET", path, None, "Bearer x", b"")]


def test_what_is_sent_is_json(generator: Generator) -> None:
    generator.answers = [(200, {"a": 1})]
    assert generator.demo.call("POST", "/x", body={"b": 2}) == {"a": 1}
    assert generator.asked == [("POST", "/x", "application/json", None, b'{"b": 2}')]


def test_one_that_is_busy_is_asked_again_and_one_that_refuses_is_not(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator.answers = [(503, {}), (500, {}), (200, {"a": 1})]
    assert generator.demo.call("GET", "/x?y=1") == {"a": 1}
    generator.answers = [(499, {}), (200, {})]
    with pytest.raises(PartFailed, match=r"^GET /x: HTTP Error 499: "):
        generator.demo.call("GET", "/x?y=1")
    monkeypatch.setattr(running_demo, "BUSY_SECONDS", -1)
    generator.answers = [(500, {})]
    with pytest.raises(PartFailed, match=r"^GET /x: HTTP Error 500: "):
        generator.demo.call("GET", "/x")


def test_feeds_are_waited_for_until_all_are_served(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    def served(*rkeys: str) -> tuple[int, object]:
        return 200, {"feeds": [{"uri": FEED + rkey} for rkey in rkeys]}

    generator.answers = [served(), served("one"), served("two", "three", "one")]
    generator.demo.wait_until_served("one", "two")
    assert [path for _, path, *_ in generator.asked] == ["/xrpc/app.bsky.feed.describeFeedGenerator"] * 3
    monkeypatch.setattr(running_demo, "BUSY_SECONDS", -1)
    with pytest.raises(PartFailed, match=r"^one and four are not served yet$"):
        generator.demo.wait_until_served("one", "four")


@pytest.mark.usefixtures("clickhouse")
def test_its_authors_are_those_with_a_handle_who_post_most(network: Network, valkey: redis.Redis) -> None:
    people = [actor(number) for number in range(200, 227)]
    for did in people[:26]:
        network.answers[f"/{did}"] = networks.document(did, f"a{did[-3:]}.example.com")
    rows = [
        b.post(did, at=b.ago(hours=1 + number), text="text")
        for posts, did in zip((3, 4, *[2] * 25), people, strict=True)
        for number in range(posts)
    ]
    store(*rows, *(b.post(people[2], at=b.ago(hours=n + 1), text="reply", reply_to=rows[0]) for n in range(9)))
    demo = Demo(config)
    first, second, *others = people[:26]
    dids = [second, first, *sorted(others)]
    assert [each.did for each in demo.authors] == dids
    parts = demo.private_members, demo.public_members, demo.strangers
    assert [[each.did for each in part] for part in parts] == [dids[:12], dids[12:22], dids[22:]]
    network.answers[f"/{people[5]}"] = 404
    valkey.flushdb()  # what was looked up is remembered there
    with pytest.raises(PartFailed, match=r"^only 25 accounts with posts are indexed so far$"):
        _ = Demo(config).authors
