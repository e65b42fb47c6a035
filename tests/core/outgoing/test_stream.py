"""Answers that are read in chunks, from servers that stop, cut and never end."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

import pytest

from atsite.core.outgoing import Client, FetchFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nX-Kind: car\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server that reads a request and lets `handler` answer it."""
    tasks: list[asyncio.Task[None]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handler(writer)
        finally:
            writer.close()
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(answer(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listener:
        yield f"http://localhost:{listener.sockets[0].getsockname()[1]}/"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def never() -> None:
    await asyncio.Event().wait()


async def read(url: str, *, idle_seconds: float = 30.0, max_bytes: int = 1000) -> bytes:
    async with (
        Client(loopback=True) as client,
        client.stream(url, idle_seconds=idle_seconds, max_bytes=max_bytes) as answer,
    ):
        return b"".join([part async for part in answer.chunks])


async def failure(url: str, **limits: float) -> str:
    with pytest.raises(FetchFailed) as caught:
        await read(url, **limits)  # type: ignore[arg-type]
    return caught.value.reason


async def test_chunks_come_as_the_server_sends_them_and_any_status_is_an_answer() -> None:
    goes_on = asyncio.Event()

    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.replace(b"200 OK", b"400 Bad Request") + chunk(b"one"))
        await goes_on.wait()
        writer.write(chunk(b"two") + b"0\r\n\r\n")
        await writer.drain()

    async with serving(handler) as url, Client(loopback=True) as client:
        async with client.stream(url, headers={"accept": "a/b"}, idle_seconds=30, max_bytes=6) as answer:
            assert (answer.status, answer.headers["x-kind"]) == (400, "car")
            assert await anext(answer.chunks) == b"one"
            goes_on.set()
            assert [part async for part in answer.chunks] == [b"two"]
        async with client.stream(url, idle_seconds=30, max_bytes=6) as answer:
            assert await anext(answer.chunks) == b"one"  # and the rest is not wanted


async def test_a_server_that_sends_no_head_is_given_up() -> None:
    async with serving(lambda _: never()) as url:
        assert await failure(url, idle_seconds=0.1) == "timeout"


async def test_a_server_that_stops_in_the_middle_is_given_up() -> None:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"one"))
        await never()

    async with serving(handler) as url:
        assert await failure(url, idle_seconds=0.1) == "timeout"


async def test_a_slow_server_has_the_idle_time_for_each_chunk() -> None:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for _ in range(8):
            await asyncio.sleep(0.2)
            writer.write(chunk(b"x"))
        writer.write(b"0\r\n\r\n")

    async with serving(handler) as url:
        assert await read(url, idle_seconds=1.0) == b"x" * 8


async def test_an_endless_body_is_cut_off_at_the_limit() -> None:
    sent = 0

    async def handler(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD)
        while True:
            writer.write(chunk(b"x" * 10_000))
            await writer.drain()
            sent += 10_000

    async with serving(handler) as url:
        assert await failure(url, max_bytes=100_000) == "too_large"
    assert sent < 10_000_000  # what the sockets' buffers hold


@pytest.mark.parametrize("size", [6, 5])
async def test_the_limit_itself_is_allowed(size: int) -> None:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456")

    async with serving(handler) as url:
        if size == 6:
            assert await read(url, max_bytes=size) == b"123456"
        else:
            assert await failure(url, max_bytes=size) == "too_large"


@pytest.mark.parametrize("is_reset", [True, False])
async def test_a_body_that_ends_early_is_an_error(is_reset: bool) -> None:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"one"))
        await writer.drain()
        if is_reset:
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))

    async with serving(handler) as url:
        assert await failure(url) == "unreachable"


async def test_an_error_of_the_reader_is_no_error_of_the_server() -> None:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(b"one"))
        await never()

    async with serving(handler) as url, Client(loopback=True) as client:

        async def store() -> None:
            async with client.stream(url, idle_seconds=30, max_bytes=10) as answer:
                assert await anext(answer.chunks) == b"one"
                raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await store()


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def handler(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")

    async with (
        serving(handler) as url,
        Client(loopback=True) as client,
        client.stream(url, idle_seconds=30, max_bytes=10) as answer,
    ):
        assert (answer.status, [part async for part in answer.chunks]) == (302, [])


async def test_the_private_network_is_forbidden() -> None:
    assert await failure("http://10.0.0.1/") == "forbidden"
    assert await failure("ftp://a.example/") == "bad_url"
    async with Client(loopback=False) as client:
        with pytest.raises(FetchFailed, match="not on the public network"):
            async with client.stream("https://localhost/", idle_seconds=30, max_bytes=10):
                pass
