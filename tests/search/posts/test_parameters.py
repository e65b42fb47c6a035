"""Parameters of searchPostsSkeleton: what is refused, how, and that nothing hostile is more than a word."""

from __future__ import annotations

import re

import pytest

from atsite.urls.search import urlpatterns
from tests.builders import ALICE, ago, post, store
from tests.documents import check_examples, mounted
from tests.search.service import SEARCH, Service


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({}, "InvalidRequest", "q: Field required"),
        ({"q": ""}, "BadQueryString", "q, at character 1: there is no word in the query"),
        ({"q": "!? %_"}, "BadQueryString", "q, at character 1: there is no word in the query"),
        (
            {"q": "a (b"},
            "BadQueryString",
            'q, at character 3: this "(" is not closed; put it in quotes to search for it',
        ),
        ({"q": "a" * 10_241}, "BadQueryString", "q, at character 1: the query is longer than 10240 bytes"),
        (
            {"q": "-a"},
            "BadQueryString",
            "q, at character 1: the query only excludes posts: add a word that they must have",
        ),
        ({"q": "a from:me"}, "BadQueryString", "q, at character 3: from: me needs a reader who is signed in"),
        (
            {"q": "-".join(f"w{n}" for n in range(65))},
            "BadQueryString",
            "q, at character 1: the query has 65 words, at most 64 are searched for",
        ),
        (
            {"q": "a from:nobody.test"},
            "BadQueryString",
            "q, at character 3: from: no account has the handle nobody.test, or it cannot be found now; give the did",
        ),
        ({"q": "a", "limit": 0}, "InvalidRequest", "limit: Input should be greater than or equal to 1"),
        ({"q": "a", "limit": 101}, "InvalidRequest", "limit: Input should be less than or equal to 100"),
        ({"q": "a", "sort": "best"}, "InvalidRequest", "sort: Input should be 'latest' or 'top'"),
        (
            {"q": "a", "since": "now"},
            "InvalidRequest",
            "since: neither a day (YYYY-MM-DD) nor a datetime (2026-05-25T14:00:00Z)",
        ),
        (
            {"q": "a", "until": "2025-02-30"},
            "InvalidRequest",
            "until: neither a day (YYYY-MM-DD) nor a datetime (2026-05-25T14:00:00Z)",
        ),
        ({"q": "a", "author": "me"}, "InvalidRequest", "author: me needs a reader who is signed in"),
        ({"q": "a", "author": ""}, "InvalidRequest", "author: expected a value"),
        ({"q": "a", "mentions": "a b"}, "InvalidRequest", "mentions: neither a did nor a handle"),
        (
            {"q": "a", "mentions": "nobody.test"},
            "InvalidRequest",
            "mentions: no account has the handle nobody.test, or it cannot be found now; give the did",
        ),
        (
            {"q": "a", "author": "handle.invalid"},
            "InvalidRequest",
            "author: handle.invalid names no account: it stands for a handle that could not be verified. Use the did.",
        ),
        ({"q": "a", "viewer": "alice.test"}, "InvalidRequest", "viewer: not a did"),
        ({"q": "a", "lang": "en' OR 1"}, "InvalidRequest", "lang: not a language code, such as en or pt-BR"),
        ({"q": "a", "domain": "@"}, "InvalidRequest", "domain: not a domain, such as example.com"),
        (
            {"q": "a", "url": "ftp://example.com"},
            "InvalidRequest",
            "url: not a web address, such as https://example.com/page",
        ),
        ({"q": "a", "tag": "#"}, "InvalidRequest", "tag: not a tag"),
        ({"q": "a", "cursor": ""}, "InvalidRequest", "cursor: the cursor is empty or too long"),
        ({"q": "a", "cursor": "eof"}, "InvalidRequest", "cursor: the cursor is not valid"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    service: Service, parameters: dict[str, object], error: str, message: str
) -> None:
    assert service.refused(SEARCH, **parameters) == (400, error, message)


OF_A_CLEANUP = ("confirm", "sign-in", "backup", "undo")
HOSTILE = [
    "it's", '"quoted"', "back\\slash", "100%", "under_score", "a\0b", "line\nbreak", "{words:String}", "%(q)s", "$1",
    "'; DROP TABLE posts; --", "\"') OR 1=1 --\"", "*/ SELECT 1 /*", "שלום \u202eעולם", "🏳️‍🌈", "e\u0301té", "a" * 1_000,
    "東" * 1_000, "'東京'", "東京%", "\ufeff東京\u3000", "Ⅷ ﬁ ǅ",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_finds_itself_and_nothing_else(service: Service, text: str) -> None:
    found = post(ALICE, at=ago(hours=1), text=f"x {text} y")
    store(found, post(ALICE, at=ago(hours=2), text="x y b c from京東"))

    assert service.found(text) == [found.uri]
    assert service.found(text, author=ALICE) == [found.uri]


def test_bytes_that_are_no_text_are_no_words(service: Service) -> None:
    store(post(ALICE, at=ago(hours=1), text="cat"))

    assert service.client.get(SEARCH + "?q=%ff%fe").json() == {"hitsTotal": 0, "posts": []}
    assert service.client.get(SEARCH + "?q=cat%ff").json() == {"hitsTotal": 0, "posts": []}


def test_the_service_says_how_it_is(service: Service) -> None:
    assert service.get("/xrpc/_health").json() == {"version": "0.1.0"}


def test_an_unknown_method_and_a_wrong_one_are_told_apart(service: Service) -> None:
    answer = service.client.post(SEARCH)

    assert (answer.status_code, answer.json()["error"], answer.headers["Allow"]) == (405, "InvalidRequest", "GET")
    assert service.refused("/xrpc/app.bsky.feed.getFeedSkeleton")[:2] == (501, "MethodNotImplemented")


ACTORS = "/xrpc/app.bsky.unspecced.searchActorsSkeleton"


def test_the_service_describes_itself(service: Service) -> None:
    document = service.get("/openapi.json").json()

    cleanups = {f"/repo/cleanup{rest}" for rest in ("", "/stats", *(f"/{{job_id}}/{what}" for what in OF_A_CLEANUP))}
    searches = {SEARCH, "/search/posts", ACTORS, "/actors/type_ahead"}
    tools = {"/redir", "/repo/{did}", "/list"}
    assert set(document["paths"]) == {*searches, *tools, "/xrpc/_health", "/stats", "/stats/period", *cleanups}
    assert set(document["paths"]) == {path for path in mounted(urlpatterns) if not path.startswith("/cleanup/")}
    check_examples(document)
    about = document["info"]["description"]
    (row,) = [line for line in about.splitlines() if line.startswith("| `search` | search posts and people | ")]
    assert set(re.findall(r"`GET ([^`]+)`", row)) == searches
    assert (
        "| `stats` | read statistics of the network, of feeds and keys | `GET /stats`, `GET /stats/period` |" in about
    )
    assert document["paths"][ACTORS]["get"]["security"] == [{}, {"ApiKeyAuth": []}]
    assert service.get("/docs").status_code == 200
