"""What clean-ups need of a PDS: sessions that are refreshed, batches of writes, limits."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.outgoing import Fetched
from atsite.core.pds import Create, Delete, Pds, PdsError, RateLimit, RepoCommit, Write, WriteAnswer, refusal
from atsite.core.pds.answers import without_tokens
from atsite.core.pds.session import scope_of
from tests.core.pds.test_client import ALICE, GENERATOR, GOOD_SESSION, SESSION, Odd, Server, talking
from tests.tokens import part

BOB = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
COMMIT = {"commit": {"cid": "c2", "rev": "3l"}, "results": []}
HOUR = {"ratelimit-limit": "5000", "ratelimit-remaining": "4998", "ratelimit-reset": "2000000000"}


class Noted(Server):
    """Answers everything in one way, and notes what it was asked."""

    def __init__(self, content: object, status: int = 200) -> None:
        super().__init__()
        self.given = (status, content)
        self.asked: list[tuple[str, str, Any]] = []

    def answer(self, path: str, authorization: str, body: Any) -> tuple[int, object]:
        self.asked.append((path.rpartition(".")[2], authorization, body))
        return self.given


async def test_a_session_is_refreshed_with_its_refresh_token_and_no_body() -> None:
    server = Noted({"did": ALICE, "handle": "new.test", "accessJwt": "a2", "refreshJwt": "r2"})
    async with talking(server) as (_, pds):
        fresh = await pds.refresh_session(SESSION)
    assert server.asked == [("refreshSession", "Bearer refresh", None)]
    assert (fresh.did, fresh.handle, fresh.access_token, fresh.refresh_token) == (ALICE, "new.test", "a2", "r2")


async def test_a_refreshed_session_of_another_account_is_refused() -> None:
    async with talking(Odd(200, {**GOOD_SESSION, "did": BOB})) as (_, pds):
        with pytest.raises(PdsError, match="that of another account") as caught:
            await pds.refresh_session(SESSION)
    assert (caught.value.name, caught.value.status) == ("InvalidResponse", 200)


async def test_a_revoked_session_is_told_by_its_name() -> None:
    refused = {"error": "ExpiredToken", "message": "Token has been revoked"}
    async with talking(Odd(400, refused)) as (_, pds):
        with pytest.raises(PdsError) as caught:
            await pds.refresh_session(SESSION)
    assert (caught.value.name, caught.value.status) == ("ExpiredToken", 400)


@pytest.mark.parametrize(
    ("answer", "status"),
    [({}, ""), ({"active": True}, ""), ({"active": False, "status": "deactivated"}, "deactivated"),
     ({"active": False}, "inactive")],
)  # fmt: skip
async def test_a_session_says_what_it_may_do_and_whether_the_account_is_active(
    answer: dict[str, object], status: str
) -> None:
    access = jwt.encode({"scope": "com.atproto.appPass"}, "k" * 32, algorithm="HS256")
    async with talking(Odd(200, {**GOOD_SESSION, **answer, "accessJwt": access})) as (_, pds):
        session = await pds.create_session("alice.test", "good")
    assert (session.scope, session.status) == ("com.atproto.appPass", status)
    assert access not in repr(session)


@pytest.mark.parametrize("token", ["", "access", "a.b.c", "a.é.c", part(b'{"scope": "x"}')])
def test_a_token_that_is_no_jwt_has_no_scope(token: str) -> None:
    assert scope_of(token) == ""


@pytest.mark.parametrize("claims", [b"[]", b"{}", b'{"scope": ["x"]}', b"\xff", pytest.param(b"[" * 99_999, id="deep")])
def test_claims_without_a_scope_have_none(claims: bytes) -> None:
    assert scope_of(f"a.{part(claims)}.c") == ""


async def test_writes_are_one_call_with_the_commit_that_must_be_the_newest() -> None:
    server = Noted(COMMIT)
    writes: list[Write] = [Delete("app.bsky.feed.like", "a"), Create("app.bsky.feed.post", "b", {"text": "x"})]
    async with talking(server) as (_, pds):
        answer = await pds.apply_writes(SESSION, writes, swap_commit="c1")
    assert answer == WriteAnswer(RepoCommit("c2", "3l"), None)
    ((method, authorization, body),) = server.asked
    assert (method, authorization) == ("applyWrites", "Bearer access")
    assert body == {
        "repo": ALICE,
        "validate": False,
        "swapCommit": "c1",
        "writes": [
            {"$type": "com.atproto.repo.applyWrites#delete", "collection": "app.bsky.feed.like", "rkey": "a"},
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": "app.bsky.feed.post",
                "rkey": "b",
                "value": {"text": "x"},
            },
        ],
    }


async def test_writes_on_any_commit_name_none() -> None:
    server = Noted(COMMIT)
    async with talking(server) as (_, pds):
        await pds.apply_writes(SESSION, [], swap_commit="")
    assert "swapCommit" not in server.asked[0][2]


@pytest.mark.parametrize(
    ("content", "commit"), [({}, None), (None, None), ({"commit": {"cid": "c", "rev": "3k"}}, RepoCommit("c", "3k"))]
)
async def test_an_answer_need_not_tell_the_commit(content: object, commit: RepoCommit | None) -> None:
    async with talking(Odd(200, content)) as (_, pds):
        assert (await pds.apply_writes(SESSION, [], swap_commit="c1")).commit == commit


@pytest.mark.parametrize("commit", [5, [], {"cid": "c"}, {"cid": "c", "rev": 1}, {"cid": "", "rev": "3k"}])
async def test_a_commit_without_its_cid_or_rev_is_none(commit: object) -> None:
    async with talking(Odd(200, {"commit": commit})) as (_, pds):
        with pytest.raises(PdsError, match=r"^InvalidResponse: the new commit"):
            await pds.apply_writes(SESSION, [], swap_commit="c1")


@pytest.mark.parametrize(
    ("policy", "window"),
    [("5000;w=3600", 3600), ("35000;w=86400", 86400), ("3000;w=300", None), ("", None), ("5000", None)],
)
async def test_a_good_answer_tells_the_limit_of_writes_and_no_other(policy: str, window: int | None) -> None:
    """The official PDS sends the limit of requests per address with it."""
    server = Noted(COMMIT)
    server.headers = {**HOUR, "ratelimit-policy": policy}
    async with talking(server) as (_, pds):
        answer = await pds.apply_writes(SESSION, [], swap_commit="c1")
    assert answer.limit == (None if window is None else RateLimit(5000, 4998, 2_000_000_000, window))


@pytest.mark.parametrize("name", ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"])
@pytest.mark.parametrize("value", ["", "-1", "1.5", "９", "1" * 12])
async def test_a_limit_that_is_not_whole_is_none(name: str, value: str) -> None:
    headers = {**HOUR, "ratelimit-policy": "5000;w=3600", name: value}
    assert refusal(Fetched(429, headers, b"{}")).limits is None


@pytest.mark.parametrize(
    ("status", "policy", "is_told"),
    [(429, "3000;w=300", True), (429, "5000;w=3600", True), (500, "5000;w=3600", True), (500, "3000;w=300", False)],
)
async def test_a_refusal_tells_the_limit_that_was_reached(status: int, policy: str, is_told: bool) -> None:
    server = Noted({"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, status)
    server.headers = {**HOUR, "ratelimit-policy": policy}
    async with talking(server) as (_, pds):
        with pytest.raises(PdsError) as caught:
            await pds.apply_writes(SESSION, [], swap_commit="c1")
    expected = RateLimit(5000, 4998, 2_000_000_000, int(policy.partition("=")[2]))
    assert caught.value.limits == (expected if is_told else None)


@pytest.mark.parametrize(("header", "wait"), [("RESET", 50_000.0), ("RETRY", 50_000.0), ("FAR", 86_400.0)])
async def test_a_writer_can_be_asked_to_wait_for_a_day(header: str, wait: float) -> None:
    server = Noted({"error": "RateLimitExceeded", "message": ""}, 429)
    server.headers = {
        "RESET": {"ratelimit-reset": str(int(time.time()) + 50_000)},
        "RETRY": {"retry-after": "50000"},
        "FAR": {"retry-after": "9999999"},
    }[header]
    async with talking(server) as (_, pds):
        for call in (
            pds.apply_writes(SESSION, [], swap_commit="c1"),
            pds.create_session("alice.test", "good"),
            pds.refresh_session(SESSION),
            pds.delete_record(SESSION, GENERATOR, "hot"),
        ):
            with pytest.raises(PdsError) as caught:
                await call
            assert wait - 60 <= caught.value.wait <= wait


async def test_one_version_of_a_record_can_be_deleted() -> None:
    server = Noted({})
    async with talking(server) as (_, pds):
        await pds.delete_record(SESSION, GENERATOR, "hot", swap_record="c1")
        await pds.delete_record(SESSION, GENERATOR, "hot")
    body = {"repo": ALICE, "collection": GENERATOR, "rkey": "hot"}
    assert [asked[2] for asked in server.asked] == [{**body, "swapRecord": "c1"}, body]


def test_a_whole_repo_or_what_is_new_in_it_has_an_address() -> None:
    pds = Pds(None, "https://pds.example/")  # type: ignore[arg-type]
    url = "https://pds.example/xrpc/com.atproto.sync.getRepo?did=did%3Aplc%3Aaaaaaaaaaaaaaaaaaaaaaaaa"
    assert pds.repo_url(Did(ALICE)) == url
    assert pds.repo_url(Did(ALICE), "3migo7fijwi2k") == f"{url}&since=3migo7fijwi2k"


@pytest.mark.parametrize(
    "text",
    [
        "no: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl!",
        "no: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0",
        "no: abcd-ef23-ghij-klmn.",
        "no: ABCD-EF23-GHIJ-KLMN",
    ],
)
def test_what_a_pds_says_is_shown_without_tokens_and_passwords(text: str) -> None:
    assert without_tokens(text) in ("no: [token]!", "no: [token]", "no: [app password].", "no: [app password]")


def test_other_words_of_a_pds_are_shown_as_they_are() -> None:
    for text in (
        "Commit was at bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq",
        "1234-5678 is no date",
    ):
        assert without_tokens(text) == text
