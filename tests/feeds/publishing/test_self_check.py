from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.aturi import AtUri
from atsite.core.identity import HandleLookup, Resolver
from atsite.core.outgoing import Client, Fetched
from feeds.publishing.self_check import FeedCheck, page_problem
from tests.core.identity.network import document, running
from tests.core.outgoing.test_client import http, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.core.identity.network import Network

ALICE = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
GENERATOR = "app.bsky.feed.generator"
FEED = AtUri.parse(f"at://{ALICE}/{GENERATOR}/hot")
POST = f"at://{ALICE}/app.bsky.feed.post/3l3qo2vuowo2b"
DESCRIBE = "/xrpc/app.bsky.feed.describeFeedGenerator"
PAGE = f"/xrpc/app.bsky.feed.getFeedSkeleton?feed=at%3A%2F%2F{ALICE.replace(':', '%3A')}%2F{GENERATOR}%2Fhot&limit=30"
RECORD = f"/xrpc/com.atproto.repo.getRecord?repo={ALICE.replace(':', '%3A')}&collection={GENERATOR}&rkey=hot"


@asynccontextmanager
async def checking() -> AsyncIterator[tuple[Network, FeedCheck]]:
    """A network in which everything is right, and the check of its one feed."""
    async with running() as network, Client(loopback=True) as client:
        service = f"did:web:localhost%3A{network.port}"
        pds = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": network.url}
        endpoint = {"id": "#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": network.url}
        network.answers |= {
            "/.well-known/did.json": {"id": service, "service": [endpoint]},
            DESCRIBE: {"did": service, "feeds": [{"uri": str(FEED)}]},
            f"/{ALICE}": {**document(ALICE, "alice.test"), "service": [pds]},
            RECORD: {"value": {"did": service}},
            PAGE: {"feed": [{"post": POST}], "cursor": "x"},
        }
        resolver = Resolver(client, None, plc_url=network.url, handles=HandleLookup(), loopback=True)
        yield network, FeedCheck(client, resolver, FEED, service, network.url)


async def problems(check: FeedCheck) -> list[str]:
    return [finding.problem for finding in await check.findings()]


async def test_a_feed_that_is_right_has_no_problem() -> None:
    async with checking() as (_, check):
        assert await problems(check) == ["", "", "", ""]


@pytest.mark.parametrize(
    ("path", "answer", "step", "words"),
    [
        ("/.well-known/did.json", 404, 0, "is the proxy in front passing"),
        ("/.well-known/did.json", {"id": "did:web:other"}, 0, "is SERVICE_ENDPOINT right"),
        ("/.well-known/did.json", 302, 0, "status 302"),
        (DESCRIBE, {"did": "did:web:other"}, 1, "not the service's"),
        (RECORD, {"value": {"did": "did:web:old"}}, 2, "run publish_feed again"),
        (RECORD, 500, 2, "UnknownError"),
        (f"/{ALICE}", 404, 2, "has no document"),
        (PAGE, 500, 3, "status 500"),
    ],
)
async def test_each_step_says_in_words_what_is_wrong(path: str, answer: Any, step: int, words: str) -> None:
    async with checking() as (network, check):
        network.answers[path] = answer
        found = await problems(check)
    assert words in found[step]
    assert [problem for at, problem in enumerate(found) if at != step] == ["", "", ""]


async def test_a_redirect_is_wrong_because_the_appview_follows_none() -> None:
    async with checking() as (network, check):
        away = {path: http(b"", "302 Found", Location=network.url + path) for path in ("/.well-known/did.json", PAGE)}
        async with serving({**away, DESCRIBE: http(b"{}")}) as server:
            found = await problems(FeedCheck(check.client, check.resolver, FEED, check.service_did, server.url))
    assert found[0].startswith("it redirects; a did document or a page must not redirect")
    assert found[3] == "it redirects; a did document or a page must not redirect"


async def test_a_service_without_an_address_is_told_which_setting_is_missing() -> None:
    async with checking() as (_, check):
        found = await problems(FeedCheck(check.client, check.resolver, FEED, "", ""))
    assert found[0] == "SERVICE_ENDPOINT is not set: the network cannot find this service"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"feed": [{"post": POST}]}, ""),
        ({"feed": []}, "the page is empty"),
        ({"feed": [{"post": POST}], "cursor": None}, "its cursor is not a text"),
        ({"feed": [{"post": POST}, {}]}, "no valid at-uri"),
        ({"feed": [{"post": "at://x"}]}, "no valid at-uri"),
        ({"feed": [{"post": POST}] * 30}, ""),
        ({"feed": [{"post": POST}] * 31}, "31 posts where at most 30"),
        ({"feed": {}}, "not a JSON object"),
        ([], "not a JSON object"),
    ],
)
def test_a_page_is_judged_as_the_appview_judges_it(content: Any, words: str) -> None:
    problem = page_problem(Fetched(200, {}, json.dumps(content).encode()), limit=30)
    assert problem.startswith(words) if not words else words in problem
    assert bool(problem) is bool(words)
