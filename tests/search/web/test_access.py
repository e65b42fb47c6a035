"""Who may ask the search service: callers with a key, others within their limit, pages of other sites; and no trace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

from apikeys import keys
from apikeys.models import add_key
from atsite.core.clickhouse import door
from atsite.core.config import config
from search.web import access
from tests.builders import ALICE, ago, identity, store
from tests.search.service import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from tests.search.service import Service

ACTORS = "/xrpc/app.bsky.unspecced.searchActorsSkeleton"
POSTS = "/xrpc/app.bsky.unspecced.searchPostsSkeleton"
TYPE_AHEAD = "/actors/type_ahead"
SEARCHES = ((ACTORS, {"q": "al"}), (POSTS, {"q": "al"}), (TYPE_AHEAD, {"query": "al"}))
#: The first is redirected, and the others are refused: none asks the network.
TOOLS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/redir", {"q": "al.example.com"}),
    ("/repo/al", {}),
    ("/list", {"uri": "al"}),
)
WORD = "unmistakable"


@pytest.fixture
def client(
    clickhouse: None, valkey: redis.Redis, transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Client:
    settings.ROOT_URLCONF = "atsite.urls.search"
    settings.MIDDLEWARE = ["atsite.core.web.xrpc.ErrorBodies", "atsite.core.web.framing.Framing"]
    return Client()


@pytest.fixture
def closed(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A service that answers no caller without a key."""
    monkeypatch.setattr(access, "config", replace(config, search=replace(config.search, anonymous=False)))
    return client


def key_for(*scopes: str, rate_limit: int = 1_000) -> dict[str, str]:
    """The header of a new key."""
    key = keys.mint()
    add_key(key, scopes=list(scopes), rate_limit=rate_limit)
    return {"X-API-Key": key.text}


def error(response: Any) -> tuple[int, str]:
    body: dict[str, str] = response.json()
    assert set(body) == {"error", "message"}
    return response.status_code, body["error"]


@pytest.mark.parametrize(("path", "query"), SEARCHES)
def test_a_key_with_the_scope_opens_each_search_and_another_one_does_not(
    closed: Client, path: str, query: dict[str, str]
) -> None:
    assert closed.get(path, query, headers=key_for("search")).status_code == 200
    assert error(closed.get(path, query, headers=key_for("stats", "labels"))) == (403, "Forbidden")
    assert error(closed.get(path, query, headers={"X-API-Key": keys.mint().text})) == (401, "AuthenticationRequired")
    assert error(closed.get(path, query)) == (401, "AuthenticationRequired")


def test_the_tools_need_a_key_of_their_own_unless_a_setting_opens_them(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, query in TOOLS:
        assert error(client.get(path, query)) == (401, "AuthenticationRequired")
        assert error(client.get(path, query, headers=key_for("search", "stats"))) == (403, "Forbidden")
        assert client.get(path, query, headers=key_for("tools")).status_code in (302, 400)
    opened = replace(config.tools, anonymous=True, anonymous_per_minute=4)
    monkeypatch.setattr(access, "config", replace(config, tools=opened))
    statuses = [client.get(path, query).status_code for path, query in TOOLS * 2]
    assert statuses == [302, 400, 400, 302, 429, 429]
    assert client.get(ACTORS, {"q": "al"}).status_code == 200


def test_statistics_need_their_own_scope_and_health_none(closed: Client) -> None:
    assert error(closed.get("/stats", headers=key_for("search"))) == (403, "Forbidden")
    assert closed.get("/stats", headers=key_for("stats")).status_code in (200, 503)
    assert error(closed.get("/stats")) == (401, "AuthenticationRequired")
    assert closed.get("/xrpc/_health").status_code == 200


def test_a_wrong_key_is_no_caller_without_one(client: Client) -> None:
    assert client.get(ACTORS, {"q": "al"}).status_code == 200
    assert error(client.get(ACTORS, {"q": "al"}, headers={"X-API-Key": "atsk_x_y"})) == (401, "AuthenticationRequired")
    # The AppView's token says which reader asks; that is no credential of this service.
    assert client.get(ACTORS, {"q": "al"}, headers={"Authorization": "Bearer e30.e30.x"}).status_code == 200


def test_the_calls_of_a_key_are_counted_for_each_scope_apart(client: Client) -> None:
    key = key_for("search", "stats", rate_limit=2)
    assert [client.get(path, query, headers=key).status_code for path, query in SEARCHES] == [200, 200, 429]
    refused = client.get(ACTORS, {"q": "al"}, headers=key)
    assert refused.json()["message"] == "more than 2 calls per minute with this API key for the scope search"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert [client.get("/stats", headers=key).status_code == 429 for _ in range(3)] == [False, False, True]
    assert client.get(ACTORS, {"q": "al"}, headers=key_for("search")).status_code == 200


@pytest.fixture(scope="module")
def limited(django_db_setup: None) -> Iterator[Service]:
    """A service that answers three calls a minute of an address, and pages of one other site."""
    yield from running(SEARCH_PER_MINUTE="3", SEARCH_CORS_ORIGINS="https://search.example", TRUSTED_PROXIES="127.0.0.1")


def test_an_address_has_a_limit_over_all_searches(limited: Service, clickhouse: None, valkey: redis.Redis) -> None:
    def statuses(address: str) -> list[int]:
        sent = {"X-Forwarded-For": address}
        return [limited.client.get(path, params=query, headers=sent).status_code for path, query in SEARCHES]

    assert statuses("192.0.2.1") == [200, 200, 200]
    assert statuses("192.0.2.1") == [429, 429, 429]
    assert statuses("192.0.2.2") == [200, 200, 200]
    assert statuses("2001:db8::1") + statuses("2001:db8::2") == [200, 200, 200, 429, 429, 429]
    sent = {"X-Forwarded-For": "192.0.2.1"}
    refused = limited.client.get(ACTORS, params={"q": "al"}, headers=sent)
    assert refused.json()["error"] == "RateLimitExceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    for path in ("/xrpc/_health", "/openapi.json", "/docs", "/repo/cleanup/stats"):
        assert limited.client.get(path, headers=sent).status_code == 200
    assert limited.client.get("/stats", headers=sent).status_code == 429


def test_the_page_of_another_site_reads_answers_if_it_is_named(limited: Service, valkey: redis.Redis) -> None:
    def allowed(path: str, origin: str) -> str | None:
        response = limited.client.get(path, params={"query": "al"}, headers={"Origin": origin})
        found: str | None = response.headers.get("Access-Control-Allow-Origin")
        return found

    assert allowed(TYPE_AHEAD, "https://search.example") == "https://search.example"
    assert allowed(TYPE_AHEAD, "https://other.example") is None
    assert allowed("/redir", "https://search.example") == "https://search.example"
    assert allowed("/list", "https://search.example") == "https://search.example"
    assert allowed("/repo/did:plc:x", "https://search.example") == "https://search.example"
    assert allowed("/repo/cleanup", "https://search.example") is None
    assert allowed("/repo/cleanup/stats", "https://search.example") is None
    assert allowed("/cleanup/", "https://search.example") is None
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    preflight = limited.client.options(TYPE_AHEAD, headers={"Origin": "https://search.example", **asked})
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://search.example"
    assert "x-api-key" in preflight.headers["Access-Control-Allow-Headers"]
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "access-control-allow-credentials" not in preflight.headers


def test_without_a_setting_no_other_site_reads_answers(service: Service) -> None:
    response = service.client.get(TYPE_AHEAD, params={"query": "al"}, headers={"Origin": "https://search.example"})
    assert response.status_code == 200
    assert [name for name in response.headers if name.startswith("access-control")] == []
    assert settings.CORS_ALLOW_ALL_ORIGINS is False


def test_every_site_reads_answers_if_the_setting_says_so(clickhouse: None) -> None:
    for service in running(SEARCH_CORS_ORIGINS="*"):
        response = service.client.get(TYPE_AHEAD, params={"query": "al"}, headers={"Origin": "https://any.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_what_is_searched_for_is_in_no_log(clickhouse: None, tmp_path: Path) -> None:
    store(identity(ALICE, f"{WORD}.example.com", at=ago(hours=1)))
    output = tmp_path / "output"
    for service in running(output=output):
        for query in (WORD, f"{WORD} x", f"{WORD}x", f"{WORD}\x00"):
            answer = service.get(TYPE_AHEAD, query=query, actorDid=ALICE)
            assert answer.status_code == 200, answer.text
            assert service.get(ACTORS, q=query, limit=1).status_code == 200
        assert service.get(ACTORS, q=WORD, cursor="wrong").status_code == 400
    door.execute("SYSTEM FLUSH LOGS", name="tests.flush")
    logged = (
        "SELECT count() FROM system.query_log WHERE position(query, {word:String}) > 0 AND log_comment != 'tests.log'"
    )
    # The statement that asks is in the log as well, later.
    assert door.scalar(logged, {"word": WORD}, name="tests.log") == 0
    assert door.scalar(logged, {"word": "people_facts"}, name="tests.log") > 0
    assert WORD not in output.read_text(encoding="utf-8")


def test_every_key_that_callers_leave_in_redis_ends(service: Service, valkey: redis.Redis) -> None:
    store(*(identity(f"did:plc:{letter * 24}", f"{letter}.al.example", at=ago(hours=1)) for letter in "bcdefg"))  # type: ignore[arg-type]
    store(*(identity(f"did:plc:{letter * 24}", f"al{letter}.example", at=ago(minutes=1)) for letter in "bcdefg"))  # type: ignore[arg-type]
    assert "cursor" in service.get(ACTORS, q="al", limit=2).json()
    names = [name for name in valkey.keys("*") if isinstance(name, bytes)]
    assert {name.split(b":")[1] for name in names} == {b"people", b"rate"}
    assert [name for name in names if int(valkey.pttl(name)) < 0] == []
