"""The key table, over HTTP; revoking; stores that are away."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from apikeys import check as check_module
from apikeys import keys
from apikeys.auth import WRONG_KEYS_MAX
from apikeys.check import check
from apikeys.keys import Key
from apikeys.models import ApiKey
from atsite.core.copies.errors import Undecidable
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web.auth import Principal, Scope
from atsite.core.web.xrpc import NO_KEY, XrpcError
from tests.away import default_away, redis_away
from tests.core.copies import processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis
    from django.test import Client

    from atsite.core.copies.redis_cache import Entry

pytestmark = pytest.mark.urls("tests.apikeys.service")


def stored(key: Key) -> ApiKey:
    row: ApiKey = ApiKey.objects.get(key_id=key.id)
    return row


def answer(client: Client, path: str, headers: dict[str, str], *, put: bool = False) -> tuple[int, Any]:
    response = (client.put if put else client.get)(path, headers=headers)
    return response.status_code, response.json()


def refused(message: str) -> tuple[int, dict[str, str]]:
    return 401, {"error": "AuthenticationRequired", "message": message}


UNKNOWN = refused("this API key is not known")


def test_no_key_is_refused(stores: None, client: Client) -> None:
    assert "X-API-Key" in NO_KEY
    assert answer(client, "/stats", {}) == refused(NO_KEY)
    assert answer(client, "/stats", {"Authorization": "Bearer eyJ.a.b"}) == refused(NO_KEY)
    assert answer(client, "/stats", {"Authorization": "Basic atsk_x"}) == refused(NO_KEY)


@pytest.mark.parametrize("headers", [{"X-API-Key": "garbage"}, {"X-API-Key": ""}, {"Authorization": "Bearer atsk_x"}])
def test_what_is_no_key_is_refused(stores: None, client: Client, headers: dict[str, str]) -> None:
    assert answer(client, "/stats", headers) == refused("that is not an API key: expected atsk_<id>_<secret>")


def test_a_good_key_is_let_in_by_either_header(client: Client, reader_key: Key) -> None:
    for headers in ({"X-API-Key": reader_key.text}, {"Authorization": f"bearer {reader_key.text}"}):
        assert answer(client, "/stats", headers) == (200, {"key": reader_key.id})


def test_a_bad_key_never_falls_through_to_a_good_one(client: Client, reader_key: Key) -> None:
    headers = {"X-API-Key": Key(reader_key.id, keys.mint().secret).text, "Authorization": f"Bearer {reader_key.text}"}
    assert answer(client, "/stats", headers) == UNKNOWN


def test_an_unknown_id_and_a_wrong_secret_are_told_alike(client: Client, reader_key: Key) -> None:
    for key in (keys.mint(), Key(reader_key.id, keys.mint().secret)):
        assert answer(client, "/stats", {"X-API-Key": key.text}) == UNKNOWN


def test_an_expired_key_is_refused_from_its_moment_on(reader_key: Key) -> None:
    row = stored(reader_key)
    row.expires_at = timezone.now() + timedelta(hours=1)
    row.save()
    assert check(reader_key.text, now=row.expires_at - timedelta(microseconds=1)).subject == reader_key.id
    with pytest.raises(XrpcError, match="this API key has expired"):
        check(reader_key.text, now=row.expires_at)


def test_a_revoked_key_is_refused(client: Client, reader_key: Key) -> None:
    stored(reader_key).revoke()
    assert answer(client, "/stats", {"X-API-Key": reader_key.text}) == refused("this API key was revoked")


def test_a_deleted_key_is_refused(client: Client, reader_key: Key) -> None:
    stored(reader_key).delete()
    assert answer(client, "/stats", {"X-API-Key": reader_key.text}) == UNKNOWN


def test_a_key_opens_its_scopes_and_its_feeds_alone(client: Client, reader_key: Key, moderator_key: Key) -> None:
    def put(key: Key, feed: str) -> tuple[int, Any]:
        return answer(client, f"/members/{feed}", {"X-API-Key": key.text}, put=True)

    assert put(moderator_key, "a-mpls") == (200, {"key": moderator_key.id})
    assert put(moderator_key, "cl-tqsp") == (
        403,
        {"error": "Forbidden", "message": "this key does not cover that feed"},
    )
    lacking = "this key lacks the scope members: change and list members of the feeds it covers"
    assert put(reader_key, "a-mpls") == (403, {"error": "Forbidden", "message": lacking})
    assert answer(client, "/stats", {"X-API-Key": moderator_key.text}) == (
        403,
        {
            "error": "Forbidden",
            "message": "this key lacks the scope stats: read statistics of the network, of feeds and keys",
        },
    )


def test_a_key_that_calls_too_often_is_told_when_to_come_back(client: Client, reader_key: Key, valkey: Any) -> None:
    ApiKey.objects.filter(key_id=reader_key.id).update(rate_limit=3)
    headers = {"X-API-Key": reader_key.text}
    assert [client.get("/stats", headers=headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    response = client.get("/stats", headers=headers)
    assert response.json() == {
        "error": "RateLimitExceeded",
        "message": "more than 3 calls per minute with this API key",
    }
    assert 1 <= int(response["Retry-After"]) <= 60
    assert valkey.keys("atsite:rate:wrong-api-keys:*") == []  # a valid key is no guess
    valkey.delete(f"atsite:rate:apikeys:{reader_key.id}")
    assert client.get("/stats", headers=headers).status_code == 200


def test_with_redis_away_a_process_counts_calls_by_itself(reader_key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(check_module, "_rates", RateLimit("tests", clock=lambda: now[0]))
    ApiKey.objects.filter(key_id=reader_key.id).update(rate_limit=2)

    def calls() -> list[bool]:
        results = []
        for _ in range(3):
            try:
                check(reader_key.text)
            except XrpcError as error:
                assert (error.name, error.headers) == ("RateLimitExceeded", {"Retry-After": "60"})  # noqa: PT017
                results.append(False)
            else:
                results.append(True)
        return results

    with redis_away():
        assert calls() == [True, True, False]
        now[0] = 60.0
        assert calls() == [True, True, False]


def test_a_scope_that_this_version_does_not_know_opens_nothing(reader_key: Key) -> None:
    ApiKey.objects.filter(key_id=reader_key.id).update(scopes=["stats", "launch"])
    assert check(reader_key.text) == Principal(reader_key.id, frozenset({Scope.STATS}), frozenset())


def test_revoking_is_final(reader_key: Key) -> None:
    row = stored(reader_key)
    row.revoke()
    row.revoked_at = None
    with pytest.raises(ValueError, match="final"):
        row.save()
    with pytest.raises(ValueError, match="final"):
        ApiKey.objects.filter(key_id=reader_key.id).update(revoked_at=None)
    with pytest.raises(ValueError, match=r"the secret of .* cannot change"):
        ApiKey.objects.filter(key_id=reader_key.id).update(secret_hash=keys.mint().hash)


ANSWERS = """
import sys
from apikeys.check import check
from atsite.core.web.xrpc import XrpcError
for text in sys.stdin:
    try:
        print(check(text.strip()).subject, flush=True)
    except XrpcError as error:
        print(error.message, flush=True)
"""


def test_revoking_is_seen_by_another_process_at_its_next_question(reader_key: Key) -> None:
    process = processes.start(ANSWERS)
    assert process.stdin is not None
    assert process.stdout is not None

    def ask() -> str:
        process.stdin.write(f"{reader_key.text}\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        return process.stdout.readline().strip()  # type: ignore[union-attr]

    answers = [ask(), ask()]
    stored(reader_key).revoke()
    answers += [ask(), ask()]
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()
    assert answers == [reader_key.id] * 2 + ["this API key was revoked"] * 2


def test_a_reader_that_loaded_the_row_before_it_was_revoked_never_undoes_that(
    reader_key: Key, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey.flushdb()  # the reader must ask the store
    loaded, revoked = threading.Event(), threading.Event()
    load: Callable[[str], Entry] = check_module._stored

    def slow(key_id: str) -> Entry:
        entry = load(key_id)
        loaded.set()
        assert revoked.wait(10)
        return entry

    monkeypatch.setattr(check_module, "_stored", slow)
    outcomes: list[str] = []

    def read() -> None:
        try:
            outcomes.append(check(reader_key.text).subject)
        except XrpcError as error:
            outcomes.append(error.message)

    reader = threading.Thread(target=read)
    reader.start()
    assert loaded.wait(10)
    monkeypatch.setattr(check_module, "_stored", load)
    stored(reader_key).revoke()
    revoked.set()
    reader.join(10)
    assert outcomes == ["this API key was revoked"]
    with pytest.raises(XrpcError, match="this API key was revoked"):
        check(reader_key.text)


def test_with_redis_away_a_key_is_decided_from_the_store(reader_key: Key) -> None:
    with redis_away():
        assert check(reader_key.text).subject == reader_key.id
        stored(reader_key).revoke()
        with pytest.raises(XrpcError, match="this API key was revoked"):
            check(reader_key.text)


def test_with_the_store_away_a_key_is_decided_from_its_entry_and_then_refused(
    client: Client, reader_key: Key, valkey: redis.Redis, tmp_path: Path
) -> None:
    headers = {"X-API-Key": reader_key.text}
    message = "the relational database does not answer now, try again later"
    with default_away(tmp_path):
        assert answer(client, "/stats", headers) == (200, {"key": reader_key.id})
        valkey.flushdb()
        assert answer(client, "/stats", headers) == (503, {"error": "NotEnoughResources", "message": message})
    assert answer(client, "/stats", headers) == (200, {"key": reader_key.id})


def test_with_both_away_a_key_is_refused(reader_key: Key, tmp_path: Path) -> None:
    with default_away(tmp_path), redis_away(), pytest.raises(Undecidable):
        check(reader_key.text)


def test_wrong_keys_are_told_to_wait_by_their_address_and_good_ones_from_it_are_not(
    client: Client, reader_key: Key, valkey: redis.Redis
) -> None:
    def ask(text: str, address: str = "192.0.2.1") -> int:
        return client.get("/stats", headers={"X-API-Key": text}, REMOTE_ADDR=address).status_code

    revoked = keys.mint()
    wrong = [keys.mint().text, "garbage", Key(reader_key.id, keys.mint().secret).text, revoked.text]
    statuses = [ask(wrong[number % 4]) for number in range(WRONG_KEYS_MAX + 5)]
    assert statuses == [401] * WRONG_KEYS_MAX + [429] * 5
    answered = client.get("/stats", headers={"X-API-Key": wrong[0]}, REMOTE_ADDR="192.0.2.1")
    assert answered.json()["error"] == "RateLimitExceeded"
    assert 0 < int(answered["Retry-After"]) <= 60
    assert [ask(reader_key.text) for _ in range(50)] == [200] * 50
    assert [ask(wrong[0], "192.0.2.2"), ask(""), ask(reader_key.text)] == [401, 429, 200]


def test_invented_keys_leave_one_key_in_redis_for_each_address(
    stores: None, client: Client, valkey: redis.Redis
) -> None:
    for _ in range(50):
        client.get("/stats", headers={"X-API-Key": keys.mint().text}, REMOTE_ADDR="2001:db8::7")
    assert valkey.keys("*") == [b"atsite:rate:wrong-api-keys:2001:db8::/64"]
    assert 0 < valkey.pttl("atsite:rate:wrong-api-keys:2001:db8::/64") <= 60_000
