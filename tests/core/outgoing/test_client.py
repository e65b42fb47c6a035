from __future__ import annotations

import asyncio
import ipaddress
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import httpcore
import pytest

from atsite.core.outgoing import Client, Fetched, FetchFailed, ForbiddenAddress
from atsite.core.outgoing.guard import GuardedBackend, is_allowed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


class Server:
    """A loopback HTTP server that answers each path with the raw bytes given for it, and counts its connections."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers
        self.connections = 0
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()
        #: The first line and the headers of each request.
        self.heads: list[list[str]] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.create_task(self.handle(reader, writer)))

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(request.decode().lower().split("\r\n")[:-2])
            answer = self.answers.get(request.split()[1].decode())
            if answer is None:  # a server that never answers: wait until the client is gone
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(answers: dict[str, bytes]) -> AsyncIterator[Server]:
    server = Server(answers)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server
    await asyncio.gather(*server.tasks)


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def failure(client: Client, url: str, **options: float) -> str:
    """The reason for which `url` gave no answer."""
    with pytest.raises(FetchFailed) as caught:
        await client.get(url, **options)  # type: ignore[arg-type]
    return caught.value.reason


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("::1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("ff02::1", False),
    ],
)
def test_only_public_addresses_are_allowed(address: str, public: bool) -> None:
    assert is_allowed(ipaddress.ip_address(address), loopback=False) is public


def test_the_loopback_setting_opens_loopback_and_nothing_else() -> None:
    opened = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0", "8.8.8.8"]
    verdicts = [is_allowed(ipaddress.ip_address(each), loopback=True) for each in opened]
    assert verdicts == [True, True, True, False, False, False, False, True]


async def test_an_answer_is_read_whole() -> None:
    async with serving({"/a": http(b'{"x": 1}', X_Name="v")}) as server, Client(loopback=True) as client:
        fetched = await client.get(server.url + "/a")
    expected = {"content-length": "8", "connection": "close", "x-name": "v"}
    assert (fetched, fetched.json()) == (Fetched(200, expected, b'{"x": 1}'), {"x": 1})


async def test_an_error_status_is_an_answer_and_a_body_that_is_not_json_is_an_error() -> None:
    async with serving({"/a": http(b"<html>", "404 Not Found")}) as server, Client(loopback=True) as client:
        fetched = await client.get(server.url + "/a")
    assert fetched.status == 404
    with pytest.raises(FetchFailed, match="not JSON"):
        fetched.json()


def test_json_that_is_nested_too_deep_is_not_json() -> None:
    with pytest.raises(FetchFailed, match="not JSON"):
        Fetched(200, {}, b"[" * 100_000).json()


async def test_without_the_setting_no_socket_is_opened_to_loopback() -> None:
    async with serving({"/": http(b"secret")}) as server:
        guarded = Client(loopback=False, backend=GuardedBackend(httpcore.AnyIOBackend(), loopback=False))
        async with guarded:
            # Plain http is refused before anything is resolved; https gets as far as the guard.
            assert await failure(guarded, server.url + "/") == "bad_url"
            for host in ("localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1"):
                assert await failure(guarded, f"https://{host}:{server.port}/") in ("forbidden", "unreachable"), host
        assert server.connections == 0


class Recorder(httpcore.AsyncNetworkBackend):
    """A network that only notes where a connection would have gone."""

    def __init__(self, error: type[httpcore.ConnectError | httpcore.ConnectTimeout] = httpcore.ConnectError) -> None:
        self.connected: list[str] = []
        self.error = error

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        raise self.error(host)


async def test_a_name_that_turns_private_at_the_second_look_is_refused_then() -> None:
    """DNS rebinding: each connection is judged by the look-up it uses."""
    answers = iter([["203.0.113.7", "8.8.8.8"], ["10.0.0.1"]])

    async def resolver(host: str, port: int) -> list[str]:
        return next(answers)

    recorder = Recorder()
    async with Client(loopback=False, backend=GuardedBackend(recorder, loopback=False, resolver=resolver)) as client:
        assert await failure(client, "https://rebind.example/") == "unreachable"
        assert await failure(client, "https://rebind.example/") == "forbidden"
    assert recorder.connected == ["8.8.8.8"]  # of the first answer, the documentation address was not tried


@pytest.mark.parametrize(
    ("error", "reason"), [(httpcore.ConnectError, "unreachable"), (httpcore.ConnectTimeout, "timeout")]
)
async def test_each_address_of_a_name_is_tried(
    error: type[httpcore.ConnectError | httpcore.ConnectTimeout], reason: str
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["8.8.8.8", "2606:4700::1111"]

    recorder = Recorder(error)
    async with Client(loopback=False, backend=GuardedBackend(recorder, loopback=False, resolver=resolver)) as client:
        assert await failure(client, "https://two.example/") == reason
    assert recorder.connected == ["8.8.8.8", "2606:4700::1111"]


async def test_a_redirect_into_the_private_network_is_refused() -> None:
    answers = {"/away": http(b"", "302 Found", Location="http://169.254.169.254/latest/meta-data")}
    async with serving(answers) as server, Client(loopback=True) as client:
        assert await failure(client, server.url + "/away") == "forbidden"


async def test_redirects_are_followed_only_so_far() -> None:
    answers = {
        "/1": http(b"", "302 Found", Location="/2"),
        "/2": http(b"end"),
        "/loop": http(b"", "301 Moved", Location="/loop"),
    }
    async with serving(answers) as server, Client(loopback=True) as client:
        assert (await client.get(server.url + "/1")).body == b"end"
        assert await failure(client, server.url + "/1", max_redirects=0) == "redirects"
        assert await failure(client, server.url + "/loop") == "redirects"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_status_of_a_redirect_is_followed(status: int) -> None:
    answers = {"/1": http(b"", f"{status} Elsewhere", Location="/2"), "/2": http(b"end")}
    async with serving(answers) as server, Client(loopback=True) as client:
        assert (await client.get(server.url + "/1")).body == b"end"


async def test_a_body_that_is_too_large_is_cut_off() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n" + b"0\r\n\r\n"
    )
    async with serving({"/a": http(b"x" * 1024), "/b": chunked}) as server, Client(loopback=True) as client:
        assert await failure(client, server.url + "/a", max_bytes=1023) == "too_large"
        assert await failure(client, server.url + "/b", max_bytes=1023) == "too_large"
        assert len((await client.get(server.url + "/b", max_bytes=1024)).body) == 1024


async def test_a_silent_server_ends_in_a_timeout_for_the_whole_of_a_request() -> None:
    async with serving({}) as server, Client(loopback=True) as client:
        assert await failure(client, server.url + "/", timeout=0.2) == "timeout"


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
async def test_a_broken_answer_is_an_error(answer: bytes) -> None:
    async with serving({"/": answer}) as server, Client(loopback=True) as client:
        assert await failure(client, server.url + "/") == "unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example/",
        "file:///etc/passwd",
        "https://",
        "https://u:p@a.example/",
        "https://a:b/",
        "https://a.example/é",
        "//a.example",
    ],
)
async def test_other_urls_are_not_asked(url: str) -> None:
    async with Client(loopback=True) as client:
        assert await failure(client, url) == "bad_url"


async def test_a_name_that_does_not_resolve_in_time_is_a_timeout_and_no_socket_file_is_ever_opened() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    backend = GuardedBackend(httpcore.AnyIOBackend(), loopback=True, resolver=never)
    with pytest.raises(httpcore.ConnectTimeout, match=r"^slow\.example was not resolved in time$"):
        await backend.connect_tcp("slow.example", 443, timeout=0.01)
    with pytest.raises(ForbiddenAddress, match="unix sockets are not allowed"):
        await backend.connect_unix_socket("/run/docker.sock")


async def test_a_request_says_what_it_sends_and_no_more() -> None:
    async with serving({"/x": http(b"{}")}) as server, Client(loopback=True) as client:
        await client.get(f"{server.url}/x")
        await client.post(f"{server.url}/x", {"a": 1}, headers={"authorization": "Bearer t"})
        await client.post(f"{server.url}/x")
    usual = ["accept: application/json", f"host: localhost:{server.port}", "user-agent: atsite"]
    assert [(head[0], sorted(head[1:])) for head in server.heads] == [
        ("get /x http/1.1", usual),
        (
            "post /x http/1.1",
            sorted([*usual, "authorization: bearer t", "content-length: 8", "content-type: application/json"]),
        ),
        ("post /x http/1.1", sorted([*usual, "content-length: 0"])),
    ]
