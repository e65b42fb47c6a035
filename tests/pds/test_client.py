from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from atsite.http import Client
from atsite.pds import Pds, PdsError, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ALICE = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
SESSION = Session(did=ALICE, handle="alice.test", access_token="access", refresh_token="refresh")  # type: ignore[arg-type]
GENERATOR = "app.bsky.feed.generator"


class Server:
    """A PDS over real HTTP with one account; it answers as the official one does in the cases asked for here."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}
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
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n\r\n".encode() + payload
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[Server, Pds]]:
    server = Server()
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


def test_tokens_are_in_no_repr() -> None:
    assert "access" not in repr(SESSION)
    assert "refresh" not in repr(SESSION)
