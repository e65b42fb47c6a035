"""The PDS of the tests, where its behaviour is subtle; tests/devnet asks the official one the same."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.keys import public_key_of
from atsite.core.outgoing import Client, FetchFailed
from atsite.core.pds import Create, Delete, Pds, PdsError, RateLimit, RepoCommit, Write
from atsite.core.repo import InvalidRepo, open_repo
from tests.search.cleanup import pds_server
from tests.search.cleanup.pds_server import Answer, cut, refused, silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.search.cleanup.pds_server import Account, PdsServer

POST = "app.bsky.feed.post"
#: In seconds, and read by the server's clock.
HOUR, DAY = 3600, 86_400


class Clock:
    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[PdsServer]:
    with pds_server.serving(clock) as served:
        yield served


@pytest.fixture
def alice(server: PdsServer) -> Account:
    account = server.account("alice")
    account.repo.write({f"{POST}/{number:04}": post(number) for number in range(300)})
    return account


@pytest.fixture
async def pds(server: PdsServer) -> AsyncIterator[Pds]:
    async with Client(loopback=True) as client:
        yield Pds(client, server.url)


def post(number: int) -> dict[str, Any]:
    return {"$type": POST, "text": f"post {number}", "createdAt": "2020-01-01T00:00:00.000Z"}


async def problem(awaitable: Any) -> PdsError:
    with pytest.raises(PdsError) as caught:
        await awaitable
    return caught.value


def stored(data: bytes, file: Path) -> Path:
    file.write_bytes(data)
    return file


async def download(pds: Pds, account: Account, file: Path, since: str = "") -> Path:
    async with (
        Client(loopback=True) as client,
        client.stream(pds.repo_url(account.did, since), idle_seconds=30, max_bytes=10**8) as answer,
    ):
        assert (answer.status, answer.headers["content-type"]) == (200, "application/vnd.ipld.car")
        data = b"".join([chunk async for chunk in answer.chunks])
    return stored(data, file)


async def test_the_repo_is_exported_whole_and_since_a_rev(alice: Account, pds: Pds, tmp_path: Path) -> None:
    session = await pds.create_session(alice.did, alice.app_password)
    before = await pds.latest_commit(alice.did)
    key = public_key_of(alice.key)
    with open_repo(await download(pds, alice, tmp_path / "whole.car"), alice.did, key) as repo:
        assert {f"{found.collection}/{found.rkey}": found.cid for found in repo.record_keys()} == alice.repo.keys
        assert RepoCommit(repo.cid, repo.rev) == before
    none = await download(pds, alice, tmp_path / "none.car", before.rev)
    with pytest.raises(InvalidRepo, match="is missing"), open_repo(none, alice.did, key):
        pass
    writes: list[Write] = [Delete(POST, "0007"), Create(POST, "9999", post(1))]
    answer = await pds.apply_writes(session, writes, swap_commit=before.cid)
    assert answer.commit == await pds.latest_commit(alice.did)
    with open_repo(await download(pds, alice, tmp_path / "since.car", before.rev), alice.did, key) as repo:
        found = repo.find([f"{POST}/0007", f"{POST}/9999"])
        assert found == {f"{POST}/0007": None, f"{POST}/9999": alice.repo.cid_of(f"{POST}/9999")}
    assert (tmp_path / "since.car").stat().st_size * 5 < (tmp_path / "whole.car").stat().st_size


async def test_links_and_bytes_come_back_as_they_were(alice: Account, pds: Pds, tmp_path: Path) -> None:
    value = {"a": {"$link": alice.repo.cid}, "b": [{"$bytes": "AP8"}], "c": 1}
    alice.repo.write({"com.example.a/1": value})
    with open_repo(await download(pds, alice, tmp_path / "a.car"), alice.did, public_key_of(alice.key)) as repo:
        assert next(record.value for record in repo.records() if record.rkey == "1") == value


async def test_a_batch_is_written_whole_or_not_at_all(alice: Account, pds: Pds) -> None:
    session = await pds.create_session(alice.handle, alice.app_password)
    before, records = alice.repo.cid, dict(alice.repo.values)
    wrong: list[list[Write]] = [
        [Delete(POST, "0001"), Delete(POST, "9999")],
        [Delete(POST, "0001"), Delete(POST, "0001")],
        [Delete(POST, "0001"), Create(POST, "0002", post(2))],
    ]
    for writes in wrong:
        error = await problem(pds.apply_writes(session, writes, swap_commit=before))
        assert (error.name, error.status) == ("InternalServerError", 500)
    error = await problem(pds.apply_writes(session, [Delete(POST, f"{n:04}") for n in range(201)], swap_commit=before))
    assert (error.name, error.status) == ("InvalidRequest", 400)
    assert (alice.repo.cid, alice.repo.values) == (before, records)
    await pds.apply_writes(session, [Delete(POST, "0001"), Create(POST, "0001", post(7))], swap_commit=before)
    assert alice.repo.values[f"{POST}/0001"] == post(7)


async def test_a_repo_that_moved_on_refuses_the_swap(alice: Account, pds: Pds) -> None:
    session = await pds.create_session(alice.handle, alice.app_password)
    before = await pds.latest_commit(alice.did)
    alice.repo.write({f"{POST}/0001": post(8)})
    error = await problem(pds.apply_writes(session, [Delete(POST, "0001")], swap_commit=before.cid))
    assert (error.name, error.status) == ("InvalidSwap", 400)
    old = alice.repo.cid_of(f"{POST}/0002")
    assert old is not None
    error = await problem(pds.delete_record(session, POST, "0001", swap_record=old))
    assert error.name == "InvalidSwap"
    now = alice.repo.cid_of(f"{POST}/0001")
    assert now is not None
    for _ in range(2):
        await pds.delete_record(session, POST, "0001", swap_record=now)
    assert f"{POST}/0001" not in alice.repo.values
    assert await pds.lacks_record(alice.did, POST, "0001")


async def test_sessions_are_refreshed_once_and_a_little_longer(alice: Account, pds: Pds, clock: Clock) -> None:
    first = await pds.create_session(alice.email, alice.app_password)
    assert (first.did, first.scope, first.status) == (alice.did, "com.atproto.appPass", "")
    second = await pds.refresh_session(first)
    again = await pds.refresh_session(first)  # its answer was lost
    assert first.access_token != second.access_token != again.access_token
    await pds.refresh_session(second)
    await pds.refresh_session(again)
    clock.now += 2 * HOUR
    assert (await problem(pds.refresh_session(first))).name == "ExpiredToken"
    error = await problem(pds.apply_writes(first, [], swap_commit=alice.repo.cid))
    assert (error.name, error.status) == ("ExpiredToken", 400)


async def test_a_revoked_app_password_ends_its_refresh_token_only(
    alice: Account, pds: Pds, server: PdsServer, clock: Clock
) -> None:
    session = await pds.create_session(alice.did, alice.app_password)
    by_main = await pds.create_session(alice.did, alice.password)
    assert by_main.scope == "com.atproto.access"
    server.revoke_app_passwords(alice)
    error = await problem(pds.refresh_session(session))
    assert (error.name, str(error)) == ("ExpiredToken", "ExpiredToken: Token has been revoked")
    await pds.apply_writes(session, [Delete(POST, "0001")], swap_commit=alice.repo.cid)
    await pds.refresh_session(by_main)
    await pds.delete_session(by_main)
    assert server.sessions == 0


async def test_who_may_not_sign_in_or_write_is_told_why(alice: Account, pds: Pds, server: PdsServer) -> None:
    bob = server.account("bob")
    session = await pds.create_session(alice.did, alice.app_password)
    assert (await problem(pds.create_session(alice.did, "wrong"))).name == "AuthenticationRequired"
    assert (await problem(pds.create_session("nobody.test", "wrong"))).name == "AuthenticationRequired"
    alice.has_two_factors = True
    assert (await problem(pds.create_session(alice.did, alice.password))).name == "AuthFactorTokenRequired"
    await pds.create_session(alice.did, alice.app_password)
    alice.status = "deactivated"
    assert (await pds.create_session(alice.did, alice.app_password)).status == "deactivated"
    error = await problem(pds.delete_record(session, POST, "0001"))
    assert (error.name, error.status) == ("AccountDeactivated", 401)
    assert (await problem(pds.latest_commit(alice.did))).name == "RepoDeactivated"
    alice.status = "takendown"
    assert (await problem(pds.create_session(alice.did, alice.app_password))).name == "AccountTakedown"
    assert (await problem(pds.latest_commit(alice.did))).name == "RepoTakendown"
    alice.status = ""
    session = await pds.create_session(bob.did, bob.app_password)
    foreign = type(session)(alice.did, "", session.access_token, "")
    assert (await problem(pds.delete_record(foreign, POST, "0001"))).name == "AuthenticationRequired"


async def test_points_are_counted_as_sent_and_the_429_says_for_how_long(alice: Account, pds: Pds, clock: Clock) -> None:
    session = await pds.create_session(alice.did, alice.app_password)
    alice.hour.limit, alice.day.limit = 10, 15
    await problem(pds.apply_writes(session, [Delete(POST, "9999")], swap_commit=alice.repo.cid))
    answer = await pds.apply_writes(
        session, [Create(POST, f"a{n}", post(n)) for n in range(3)], swap_commit=alice.repo.cid
    )
    assert answer.limit is None  # the headers tell of another limit
    clock.now += 600
    error = await problem(pds.delete_record(session, POST, "0001"))
    reset = int(clock.now) - 600 + HOUR + 1
    assert (error.status, error.wait, error.limits) == (429, HOUR - 599, RateLimit(10, 0, reset, HOUR))
    clock.now += HOUR
    for _ in range(5):
        await pds.delete_record(session, POST, "0001")
    error = await problem(pds.delete_record(session, POST, "0001"))
    assert error.limits is not None
    assert error.limits.window == DAY


async def test_calls_fail_and_answers_get_lost_as_a_test_wants(alice: Account, pds: Pds, server: PdsServer) -> None:
    server.fail("getLatestCommit", refused(503, "NotEnoughResources", "", retry_after="7"), times=2)
    for _ in range(2):
        error = await problem(pds.latest_commit(alice.did))
        assert (error.status, error.wait) == (503, 7.0)
    server.fail("getLatestCommit", cut())
    assert (await problem(pds.latest_commit(alice.did))).name == "Unreachable"
    server.before("getLatestCommit", lambda call: alice.repo.write({f"{POST}/0001": None}))
    commit = await pds.latest_commit(alice.did)
    assert commit.cid == alice.repo.cid
    server.after("getLatestCommit", lambda call: alice.repo.write({f"{POST}/0002": None}))
    assert await pds.latest_commit(alice.did) == commit
    assert alice.repo.cid != commit.cid
    session = await pds.create_session(alice.did, alice.app_password)
    server.lose_answer("applyWrites")
    assert (await problem(pds.apply_writes(session, [Delete(POST, "0003")], swap_commit=alice.repo.cid))).status == 0
    assert f"{POST}/0003" not in alice.repo.values
    assert [call.status for call in server.asked("getLatestCommit")][:2] == [503, 503]
    assert server.asked("applyWrites")[0].body["writes"][0]["rkey"] == "0003"


async def test_a_download_is_cut_in_the_middle_or_stops(alice: Account, pds: Pds, server: PdsServer) -> None:
    async with Client(loopback=True) as client:
        for answer, reason in (
            (Answer(200, alice.repo.file(), cut_after=1000), "unreachable"),
            (silence(), "timeout"),
        ):
            server.fail("getRepo", answer)
            with pytest.raises(FetchFailed) as caught:
                async with client.stream(pds.repo_url(alice.did), idle_seconds=0.2, max_bytes=10**8) as streamed:
                    assert [chunk async for chunk in streamed.chunks]
            assert caught.value.reason == reason


async def test_ten_thousand_records_are_no_burden(server: PdsServer, pds: Pds, clock: Clock) -> None:
    account = server.account("many")
    account.repo.write({f"{POST}/{number:05}": post(number) for number in range(10_000)})
    session = await pds.create_session(account.did, account.app_password)
    for batch in range(3):
        deletes = [Delete(POST, f"{200 * batch + number:05}") for number in range(200)]
        await pds.apply_writes(session, deletes, swap_commit=account.repo.cid)
    assert len(account.repo.values) == 9_400
