from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.outgoing import Client
from atsite.core.pds import Pds, PdsError, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

ALICE = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
SESSION = Session(did=ALICE, handle="alice.test", access_token="access", refresh_token="refresh")  # type: ignore[arg-type]
GENERATOR = "app.bsky.feed.generator"


class Server:
    """A PDS over real HTTP with one account; it answers as the official one does in the cases asked for here."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}
        #: Answers of listRecords by query.
        self.pages: dict[str, tuple[int, object]] = {}
        self.headers: dict[str, str] = {}
        self.port = 0

    def answer(self, path: str, authorization: str, body: Any) -> tuple[int, object]:
        method = path.partition("?")[0].removeprefix("/xrpc/com.atproto.")
        if method == "server.createSession":
            if body["password"] != "good":
                return 401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}
            return 200, {"did": ALICE, "handle": "alice.test", "accessJwt": "access", "refreshJwt": "refresh"}
        if method == "repo.getRecord":
            rkey = path.rpartition("=")[2]
            if rkey not in self.records:
                return 400, {"error": "RecordNotFound", "message": f"Could not locate record: {rkey}"}
            return 200, {"uri": "at://", "value": self.records[rkey]}
        if method == "sync.getLatestCommit":
            return 200, {"rev": "3k", "cid": "c"} if path.endswith(ALICE.replace(":", "%3A")) else {}
        if method == "repo.listRecords":
            return self.pages.get(path.partition("?")[2], (400, {"error": "InvalidRequest", "message": "no page"}))
        if method == "server.deleteSession":
            return (
                (200, None)
                if authorization == "Bearer refresh" and body is None
                else (400, {"error": "InvalidRequest"})
            )
        if authorization != "Bearer access":
            return 401, {"error": "AuthMissing", "message": "Authentication Required"}
        if method == "repo.putRecord":
            self.records[body["rkey"]] = body["record"]
            return 200, {"uri": f"at://{body['repo']}/{body['collection']}/{body['rkey']}", "cid": "c"}
        self.records.pop(body["rkey"], None)
        return 200, {}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        length = int(headers.get("content-length", "0"))
        body = json.loads(await reader.readexactly(length)) if length else None
        path, authorization = head[0].split()[1], headers.get("authorization", "")
        status, content = self.answer(path, authorization, body)
        payload = b"" if content is None else json.dumps(content).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(payload)}\r\n{more}Connection: close\r\n\r\n".encode()
            + payload
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def talking(server: Server | None = None) -> AsyncIterator[tuple[Server, Pds]]:
    server = server or Server()
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener, Client(loopback=True) as client:
        yield server, Pds(client, f"http://localhost:{server.port}/")


async def test_a_record_is_written_read_replaced_and_deleted() -> None:
    async with talking() as (server, pds):
        session = await pds.create_session("alice.test", "good")
        assert session == SESSION
        assert await pds.get_record(ALICE, GENERATOR, "hot") is None
        assert await pds.put_record(session, GENERATOR, "hot", {"did": "a"}) == f"at://{ALICE}/{GENERATOR}/hot"
        assert await pds.put_record(session, GENERATOR, "hot", {"did": "b"}) == f"at://{ALICE}/{GENERATOR}/hot"
        assert await pds.get_record(ALICE, GENERATOR, "hot") == {"did": "b"}
        for _ in range(2):
            await pds.delete_record(session, GENERATOR, "hot")
        assert server.records == {}
        await pds.delete_session(session)


async def test_a_wrong_password_is_an_error_with_the_servers_name_for_it() -> None:
    async with talking() as (_, pds):
        with pytest.raises(PdsError) as caught:
            await pds.create_session("alice.test", "bad")
    assert (caught.value.name, caught.value.status) == ("AuthenticationRequired", 401)


async def test_a_server_that_is_away_is_an_error() -> None:
    async with Client(loopback=True) as client:
        with pytest.raises(PdsError) as caught:
            await Pds(client, "http://localhost:1").get_record(ALICE, GENERATOR, "hot")
    assert (caught.value.name, caught.value.status) == ("Unreachable", 0)


async def test_records_are_listed_page_by_page_as_they_were_written() -> None:
    query = f"repo={ALICE.replace(':', '%3A')}&collection=app.bsky.feed.post&limit=100"
    async with talking() as (server, pds):
        server.pages[query] = (200, {"records": [], "cursor": "3k"})
        server.pages[f"{query}&cursor=3k"] = (200, {"records": [1e2]})
        first = await pds.list_records(Did(ALICE), "app.bsky.feed.post")
        second = await pds.list_records(Did(ALICE), "app.bsky.feed.post", cursor="3k")
    assert (first, second) == (b'{"records": [], "cursor": "3k"}', b'{"records": [100.0]}')


async def test_the_newest_commit_is_asked_by_did() -> None:
    async with talking() as (_, pds):
        assert await pds.latest_commit(Did(ALICE)) == ("c", "3k")
        with pytest.raises(PdsError, match="the newest commit has no cid") as caught:
            await pds.latest_commit(Did("did:plc:other"))
        assert caught.value.status == 200


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"ratelimit-reset": "RESET"}, 100.0),
        (429, {"ratelimit-reset": "RESET", "retry-after": "7"}, 7.0),
        (503, {"retry-after": "7"}, 7.0),
        (503, {"ratelimit-reset": "RESET"}, 0.0),
        (429, {"ratelimit-reset": "1"}, 0.0),
        (429, {"retry-after": "99999999"}, 3600.0),
        (429, {"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"}, 0.0),
        (400, {}, 0.0),
    ],
)
async def test_how_long_a_server_wants_to_be_left_alone_is_told(
    status: int, headers: dict[str, str], wait: float
) -> None:
    query = f"repo={ALICE.replace(':', '%3A')}&collection=a.b.c&limit=100"
    async with talking() as (server, pds):
        server.pages[query] = (status, {"error": "No", "message": ""})
        server.headers = {name: value.replace("RESET", str(int(time.time()) + 100)) for name, value in headers.items()}
        with pytest.raises(PdsError) as caught:
            await pds.list_records(Did(ALICE), "a.b.c")
    assert caught.value.status == status
    assert wait - 3 <= caught.value.wait <= wait


def test_tokens_are_in_no_repr() -> None:
    assert "access" not in repr(SESSION)
    assert "refresh" not in repr(SESSION)


class Odd(Server):
    """Answers everything in one way."""

    def __init__(self, status: int, content: object) -> None:
        super().__init__()
        self.given = (status, content)

    def answer(self, path: str, authorization: str, body: Any) -> tuple[int, object]:
        return self.given


GOOD_SESSION = {"did": ALICE, "accessJwt": "access", "refreshJwt": "refresh"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        *(
            ({**GOOD_SESSION, name: value}, "the session lacks a did or a token")
            for name, value in (("did", "alice"), ("did", None), ("accessJwt", 1), ("refreshJwt", None))
        ),
        (["not", "an", "object"], "the answer is not a JSON object"),
    ],
)
async def test_a_session_that_lacks_something_is_none(content: object, said: str) -> None:
    async with talking(Odd(200, content)) as (_, pds):
        with pytest.raises(PdsError, match=rf"^InvalidResponse: {said}$") as caught:
            await pds.create_session("alice.test", "good")
        assert caught.value.status == 200


@pytest.mark.parametrize("content", [{}, {"value": None}, {"value": "text"}])
async def test_a_record_without_its_value_is_no_record(content: object) -> None:
    async with talking(Odd(200, content)) as (_, pds):
        with pytest.raises(PdsError, match=r"^InvalidResponse: the record has no value$") as caught:
            await pds.get_record(ALICE, GENERATOR, "hot")
        assert caught.value.status == 200


@pytest.mark.parametrize(
    ("status", "name", "is_missing"),
    [
        (400, "RecordNotFound", True),
        (404, "RecordNotFound", True),
        (500, "RecordNotFound", None),
        (400, "RepoNotFound", None),
        (200, "", False),
    ],
)
async def test_only_a_pds_that_says_so_lacks_a_record(status: int, name: str, is_missing: bool | None) -> None:
    async with talking(Odd(status, {"error": name, "message": ""})) as (_, pds):
        if is_missing is None:
            with pytest.raises(PdsError, match=rf"^{name}"):
                await pds.lacks_record(Did(ALICE), GENERATOR, "hot")
        else:
            assert await pds.lacks_record(Did(ALICE), GENERATOR, "hot") is is_missing


@pytest.mark.parametrize(
    "call",
    [
        lambda pds: pds.create_session("alice.test", "good"),
        lambda pds: pds.list_records(Did(ALICE), GENERATOR),
        lambda pds: pds.latest_commit(Did(ALICE)),
        lambda pds: pds.delete_record(SESSION, GENERATOR, "hot"),
    ],
)
async def test_whatever_is_asked_of_a_server_that_is_away_fails_with_its_error(
    call: Callable[[Pds], Awaitable[object]],
) -> None:
    async with Client(loopback=True) as client:
        with pytest.raises(PdsError, match=r"^Unreachable: "):
            await call(Pds(client, "http://localhost:1"))
