"""Requests to untrusted addresses.

They use httpcore instead of httpx: the guard is a network backend, which httpcore accepts in its public interface,
while httpx hides it in a private attribute.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import httpcore

from atsite.core.errors import AtsiteError
from atsite.core.outgoing.guard import ForbiddenAddress, GuardedBackend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

__all__ = ["Client", "FetchFailed", "Fetched", "ForbiddenAddress", "Streamed", "synchronous_client"]

#: A did document has a few KB, and no other answer is larger.
MAX_BYTES = 256 * 1024
#: The whole of a request: resolving, connecting, redirects and reading.
TIMEOUT_SECONDS = 5.0
MAX_REDIRECTS = 3
#: Connections kept open: to the PLC directory and the AppView mostly.
_MAX_CONNECTIONS = 50
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class FetchFailed(AtsiteError):
    """The address gave no usable answer; `reason` is a label for metrics, the message does not contain the URL."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: the status, headers with lower-case names, the body (whole, at most the bytes asked for)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises FetchFailed."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise FetchFailed("not_json", "the answer is not JSON") from error


@dataclass(frozen=True, slots=True)
class Streamed:
    """The head of an answer, and its body in chunks, to be read once. Reading a chunk raises FetchFailed."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes] = field(repr=False)


class Client(AbstractAsyncContextManager["Client"]):
    """A guarded client with its own connections; an async context manager, for one event loop.

    `loopback` allows addresses of this machine (demo and tests) and plain http to them.
    """

    def __init__(self, *, loopback: bool, backend: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._loopback = loopback
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=backend or GuardedBackend(httpcore.AnyIOBackend(), loopback=loopback),
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=10,
            keepalive_expiry=30,
        )

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        max_bytes: int = MAX_BYTES,
        max_redirects: int = MAX_REDIRECTS,
    ) -> Fetched:
        """The answer of `url`, whatever its status. Raises FetchFailed.

        More redirects than `max_redirects` are an error, so 0 follows none.
        """
        with _translated(timeout):
            async with asyncio.timeout(timeout):
                for _ in range(max_redirects + 1):
                    fetched = await self._once("GET", url, headers or {}, None, max_bytes)
                    if fetched.status not in _REDIRECTS or "location" not in fetched.headers:
                        return fetched
                    url = urljoin(url, fetched.headers["location"])
                raise FetchFailed("redirects", f"more than {max_redirects} redirects")

    async def post(
        self,
        url: str,
        content: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> Fetched:
        """POST `content` as JSON, or no body if it is None. Follows no redirect.

        Raises FetchFailed; it is then unknown whether the server acted on the request.
        """
        body = None if content is None else json.dumps(content).encode()
        typed = {} if body is None else {"content-type": "application/json"}
        with _translated(timeout):
            async with asyncio.timeout(timeout):
                return await self._once("POST", url, {**typed, **(headers or {})}, body, max_bytes)

    @asynccontextmanager
    async def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None, idle_seconds: float, max_bytes: int
    ) -> AsyncIterator[Streamed]:
        """The answer of `url`, whatever its status, for as long as its server goes on sending. Follows no redirect.

        Raises FetchFailed, also while chunks are read: if nothing arrives for `idle_seconds`, or more than `max_bytes`.
        A server that sends a byte now and then stays below both: limit the time of the whole if that matters.
        """
        request = {"user-agent": "atsite", **(headers or {})}
        opening = AsyncExitStack()
        with _translated(idle_seconds):
            async with asyncio.timeout(idle_seconds):
                response = await opening.enter_async_context(
                    self._pool.stream("GET", self._checked(url), headers=list(request.items()))
                )
        try:
            yield Streamed(response.status, _names(response), _chunks(response, idle_seconds, max_bytes))
        finally:
            with _translated(idle_seconds):
                await opening.aclose()

    async def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, max_bytes: int
    ) -> Fetched:
        request = {"accept": "application/json", "user-agent": "atsite", **headers}
        if method == "POST":
            request["content-length"] = str(len(content or b""))
        async with self._pool.stream(
            method, self._checked(url), headers=list(request.items()), content=content
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > max_bytes:
                    raise _too_large(max_bytes)
            return Fetched(status=response.status, headers=_names(response), body=bytes(body))

    def _checked(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise FetchFailed("bad_url", "not a URL") from error
        schemes = ("https", "http") if self._loopback else ("https",)
        if parts.scheme not in schemes or not parts.hostname or parts.username is not None or not url.isascii():
            raise FetchFailed("bad_url", f"not a plain {' or '.join(schemes)} URL")
        return url


def _names(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _too_large(max_bytes: int) -> FetchFailed:
    return FetchFailed("too_large", f"the answer is larger than {max_bytes} bytes")


async def _chunks(response: httpcore.Response, idle_seconds: float, max_bytes: int) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises FetchFailed."""
    size, body = 0, response.aiter_stream()
    while True:
        with _translated(idle_seconds):
            async with asyncio.timeout(idle_seconds):
                chunk = await anext(body, None)
        if chunk is None:
            return
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


@contextmanager
def synchronous_client(*, loopback: bool) -> Iterator[tuple[Client, asyncio.Runner]]:
    """A client for code that is not a coroutine, and the runner of its requests; for one thread."""
    with asyncio.Runner() as runner:
        client = Client(loopback=loopback)
        try:
            yield client, runner
        finally:
            runner.run(client.close())


@contextmanager
def _translated(seconds: float) -> Iterator[None]:
    """Turns every error of a request into FetchFailed."""
    try:
        yield
    except (TimeoutError, httpcore.TimeoutException) as error:
        raise FetchFailed("timeout", f"no answer within {seconds:g} s") from error
    except ForbiddenAddress as error:
        raise FetchFailed("forbidden", str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise FetchFailed("unreachable", f"no answer: {type(error).__name__}") from error
