"""A repo as JSON Lines, from the CAR file of its PDS: downloaded into a file without a name, checked, then read.

Each record is a line `{"uri", "cid", "value"}`, by ascending collection and rkey. The last line says how it ended:
`{"end": true, "rev", "records"}`, or `{"error", "message"}`. An answer without either is incomplete.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from atsite.core.config import config
from atsite.core.identity.account_server import SLOW, ServerFailed, fetch_failure, refusal_of, server_of
from atsite.core.outgoing import Client, Fetched, FetchFailed
from atsite.core.pds import Pds, refusal
from atsite.core.private_directory import make_private_directory
from atsite.core.repo import InvalidRepo, read_repo

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from atsite.core.atproto.syntax import Did, Handle
    from atsite.core.identity.account_server import AccountServer
    from atsite.core.repo import Record, Repo

#: Seconds without a byte from the PDS after which a download has failed.
IDLE_SECONDS: Final = 15.0
#: Seconds after which an export ends, however slowly it is read: it holds a file and a place.
EXPORT_SECONDS: Final = 900.0
#: Bytes of one piece of the answer, or one line.
PIECE: Final = 64 * 1024
#: JSON leaves these in its strings, and str.splitlines and others end a line with them.
_LINE_ENDS: Final = {end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
INVALID: Final = "InvalidRepo"


class Export:
    """An export that has begun: `first`, then `piece()` until it is empty. Thread-safe.

    It ends and leaves nothing behind with the last piece, with `close()`, and after EXPORT_SECONDS.
    """

    def __init__(self, first: bytes, lines: Iterator[bytes], held: ExitStack) -> None:
        """`held` is closed at the end."""
        self.first = first
        self._lines = lines
        self._held = held
        self._lock = threading.Lock()
        self._is_open = True
        self._last_words = b""
        self._timer = threading.Timer(EXPORT_SECONDS, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def piece(self) -> bytes:
        """The next piece of the answer; what is found wrong with the repo is its last line."""
        with self._lock:
            if not self._is_open:
                piece, self._last_words = self._last_words, b""
                return piece
            try:
                piece = joined(self._lines)
            except InvalidRepo as error:
                piece = line(error=INVALID, message=f"the repo is not valid: {error}")
                self._end()
            if not piece:
                self._end()
            return piece

    def close(self) -> None:
        """End the export."""
        with self._lock:
            self._end()

    def _expire(self) -> None:
        with self._lock:
            if self._is_open:
                self._last_words = line(error=SLOW, message="the answer was read too slowly")
            self._end()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._timer.cancel()
            self._held.close()


def begin(actor: Did | Handle, hidden: Container[Did], give_back: Callable[[], None]) -> Export:
    """Download the repo of an account and check its commit and first records. Blocks.

    `give_back` is called when the export has ended. Raises ServerFailed, also for an account of `hidden`; and OSError
    where the disk does not take the file.
    """
    with ExitStack() as held:
        held.callback(give_back)
        folder = config.data_dir / "tools"
        make_private_directory(folder)
        file = held.enter_context(tempfile.TemporaryFile(dir=folder))
        server = asyncio.run(_download(actor, hidden, file))
        try:
            lines = _lines(held.enter_context(read_repo(file, server.did, server.key)))
            first = joined(lines)
        except InvalidRepo as error:
            message = f"the server (PDS) of this account sent a repo that is not valid: {error}"
            raise ServerFailed(INVALID, message, 502) from error
        return Export(first, lines, held.pop_all())


async def _download(actor: Did | Handle, hidden: Container[Did], file: BinaryIO) -> AccountServer:
    """Raises ServerFailed, OSError."""
    tools = config.tools
    try:
        async with asyncio.timeout(tools.repo_seconds), Client(loopback=config.allow_loopback) as client:
            server = await server_of(client, actor)
            if server.did in hidden:
                raise ServerFailed("AccountNotFound", "this site does not show this account", 404)
            url = Pds(client, server.endpoint).repo_url(server.did)
            async with client.stream(url, idle_seconds=IDLE_SECONDS, max_bytes=tools.repo_max_bytes) as answer:
                if answer.status != 200:
                    body = await anext(answer.chunks, b"")
                    raise refusal_of(refusal(Fetched(answer.status, answer.headers, body)))
                async for chunk in answer.chunks:
                    file.write(chunk)
        file.flush()
    except TimeoutError as error:
        raise fetch_failure(FetchFailed("timeout", "the download took too long")) from error
    except FetchFailed as error:
        raise fetch_failure(error) from error
    return server


def _lines(repo: Repo) -> Iterator[bytes]:
    """The lines of the answer. Raises InvalidRepo, possibly after some."""
    count = 0
    for record in repo.records():
        yield _record_line(repo, record)
        count += 1
    yield line(end=True, rev=repo.rev, records=count)


def joined(lines: Iterator[bytes]) -> bytes:
    """The next lines, some PIECE bytes of them; empty at the end. Raises what `lines` raises: these lines are lost."""
    piece = bytearray()
    for each in lines:
        piece += each
        if len(piece) >= PIECE:
            break
    return bytes(piece)


def _record_line(repo: Repo, record: Record) -> bytes:
    """Raises InvalidRepo for a record that JSON cannot express."""
    uri = f"at://{repo.did}/{record.collection}/{record.rkey}"
    try:
        return line(uri=uri, cid=record.cid, value=record.value)
    except (ValueError, RecursionError) as error:
        raise InvalidRepo(f"the record {record.collection}/{record.rkey} cannot be written as JSON") from error


def line(**content: Any) -> bytes:
    """One line of JSON, also for readers that know other ends of lines. Raises ValueError, RecursionError."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for end, escaped in _LINE_ENDS.items():
        text = text.replace(end, escaped)
    return text.encode() + b"\n"
