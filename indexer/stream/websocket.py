"""A websocket client that reads in bulk: all complete messages of one read from the socket at once.

A library that returns single messages costs 15 to 20 microseconds per message, more than all other work of the indexer.
Nearly every frame of the stream is a complete, unmasked text frame; this module cuts those out of the bytes (RFC 6455,
section 5.2). The handshake and every other frame (ping, close, fragments, invalid ones) go through `websockets`'
protocol core, so its rules and errors apply.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosedError, InvalidHandshake, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable

#: The largest record of the network is 1 MB of CBOR, at most a few times as much in JSON. Longer messages
#: are not kept in memory: their beginning is passed on and becomes a dead letter, the rest is dropped as it arrives.
MAX_MESSAGE: Final = 16 * 1024 * 1024
KEPT_OF_OVERLONG: Final = 4096
#: Bytes to read from the socket at once: about 500 events.
READ_SIZE: Final = 256 * 1024
#: An answer to the handshake is a few hundred bytes.
MAX_HANDSHAKE: Final = 64 * 1024

_TEXT: Final = 0x81  # FIN and opcode 1: a complete text message
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127


@dataclass(slots=True)
class FrameReader:
    """Cuts a stream of bytes into messages. Pure: bytes in, messages out; answers wait in `protocol.data_to_send()`.

    Raises ConnectionClosedError (or an error of the protocol core) if the stream breaks the rules or ends.
    """

    protocol: ClientProtocol
    _rest: bytes = b""
    #: A message in fragments: whether there is one, the kept part of it, and its bytes so far.
    _is_fragmented: bool = False
    _kept: bytearray = field(default_factory=bytearray)
    _size: int = 0
    _to_drop: int = 0
    _end: Exception | None = None

    def __post_init__(self) -> None:
        self.protocol.max_message_size = None  # overlong messages are cut here; the library would close the connection

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes. If the stream ended after messages, the next call raises."""
        if self._end is not None:
            raise self._end
        messages: list[bytes] = []
        try:
            self._cut(data, messages)
        except WebSocketException as error:
            if not messages:
                raise
            self._end = error
        return messages

    @property
    def ended(self) -> bool:
        """Whether the next call of `feed` raises."""
        return self._end is not None

    def _cut(self, data: bytes, messages: list[bytes]) -> None:
        if self._to_drop:
            dropped = min(self._to_drop, len(data))
            self._to_drop -= dropped
            data = data[dropped:]
        if self._rest:
            data = self._rest + data
        start, size = 0, len(data)
        append = messages.append
        while start + 2 <= size:
            length = data[start + 1]
            if length < _LENGTH_16:
                body = start + 2
            elif length == _LENGTH_16:
                body = start + 4
                if body > size:
                    break
                length = data[start + 2] << 8 | data[start + 3]
            else:
                body, length = self._long_header(data, start)
                if body > size:
                    break
            end = body + length
            if end > size:
                if length > MAX_MESSAGE and body + KEPT_OF_OVERLONG <= size:
                    messages.extend(self._cut_short(data[start], data[body : body + KEPT_OF_OVERLONG], length))
                    self._to_drop = end - size
                    start = size
                break
            if data[start] == _TEXT and not self._is_fragmented:
                append(data[body:end])
            else:
                messages.extend(self._through_the_library(data[start:end]))
            start = end
        self._rest = data[start:]

    def _long_header(self, data: bytes, start: int) -> tuple[int, int]:
        """The start and length of the body; a masked frame, which servers must not send, goes to the library."""
        if data[start + 1] & 0x80:
            self._through_the_library(data[start:])
            raise _closed(self.protocol)
        return start + 10, int.from_bytes(data[start + 2 : start + 10], "big")

    def _cut_short(self, first: int, beginning: bytes, length: int) -> list[bytes]:
        """The messages that an overlong frame completes; the library gets a frame of its first bytes."""
        self._size += length
        header = bytes((first, _LENGTH_16)) + len(beginning).to_bytes(2, "big")
        return self._through_the_library(header + beginning)

    def _through_the_library(self, frame: bytes) -> list[bytes]:
        self.protocol.receive_data(frame)
        messages = []
        for event in self.protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._is_fragmented = not event.fin
                self._keep(event.data)
                if event.fin:
                    messages.append(bytes(self._kept))
                    self._kept, self._size = bytearray(), 0
        if self.protocol.close_expected():
            raise _closed(self.protocol)
        return messages

    def _keep(self, fragment: bytes | bytearray | memoryview) -> None:
        """Add a fragment to its message; of an overlong message only the beginning is kept."""
        self._size += len(fragment)
        self._kept += fragment
        if self._size > MAX_MESSAGE:
            del self._kept[KEPT_OF_OVERLONG:]


class Connection:
    """One open websocket over a blocking socket."""

    def __init__(self, sock: socket.socket, reader: FrameReader, rest: bytes) -> None:
        self._socket = sock
        self._reader = reader
        self._rest = rest

    def receive(self, timeout: float) -> list[bytes] | None:
        """The messages of one read; empty if it had none, None if nothing came in `timeout` seconds.

        Raises OSError or WebSocketException when the connection ends.
        """
        data, self._rest = self._rest, b""
        if not data and not self._reader.ended:
            self._socket.settimeout(timeout)
            try:
                data = self._socket.recv(READ_SIZE)
            except TimeoutError:
                return None
            if not data:
                raise _closed(self._reader.protocol)
        try:
            return self._reader.feed(data)
        finally:
            self._answer()

    def send(self, text: bytes, *, timeout: float) -> None:
        """Send one text message, in `timeout` seconds at most."""
        self._socket.settimeout(timeout)
        self._reader.protocol.send_text(text)
        self._answer()

    def ping(self) -> None:
        """Send a ping to the host."""
        self._reader.protocol.send_ping(b"")
        self._answer()

    def close(self) -> None:
        """Close the connection, without waiting for an answer."""
        try:
            self._reader.protocol.send_close(1000)
            self._answer()
        except Exception:  # noqa: S110  the socket is closed in any state
            pass
        finally:
            self._socket.close()

    def _answer(self) -> None:
        data = b"".join(self._reader.protocol.data_to_send())
        if data:
            self._socket.sendall(data)


def connect(url: str, *, timeout: float) -> Connection:
    """Open `url` (ws:// or wss://) without compression, in `timeout` seconds at most.

    Raises OSError, or WebSocketException on a refused handshake. Only the resolver limits the look-up of the host's
    name. Jetstream answers HTTP 400 to a permessage-deflate offer beside compress=true, so none is made.
    """
    uri = parse_uri(url)
    left = _countdown(timeout)
    sock = _connected(uri.host, uri.port, left)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if uri.secure:
            sock.settimeout(left())
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=uri.host)
        protocol = ClientProtocol(uri, max_size=None)
        rest = _shake_hands(sock, protocol, left)
    except BaseException:
        sock.close()
        raise
    return Connection(sock, FrameReader(protocol), rest)


def _countdown(seconds: float) -> Callable[[], float]:
    """A function that returns the seconds left for the next step; it raises TimeoutError when none are left."""
    end = time.monotonic() + seconds

    def left() -> float:
        remaining = end - time.monotonic()
        if remaining <= 0:
            raise TimeoutError(f"the connection was not open after {seconds:g} s")
        return remaining

    return left


def _connected(host: str, port: int, left: Callable[[], float]) -> socket.socket:
    """A socket to the first address of the host that answers."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError(f"{host} has no address")
    for number, (*_, address) in enumerate(addresses):
        try:
            return socket.create_connection((str(address[0]), port), left() / (len(addresses) - number))
        except OSError as error:
            failure = error
    raise failure


def _shake_hands(sock: socket.socket, protocol: ClientProtocol, left: Callable[[], float]) -> bytes:
    """Request the upgrade; returns the bytes after the answer's headers, which belong to the stream."""
    protocol.send_request(protocol.connect())
    sock.settimeout(left())
    sock.sendall(b"".join(protocol.data_to_send()))
    head, rest = b"", b""
    while b"\r\n\r\n" not in head and len(head) <= MAX_HANDSHAKE:
        sock.settimeout(left())
        data = sock.recv(4096)
        if not data:
            break
        head += data
    head, separator, rest = head.partition(b"\r\n\r\n")
    refused = not head.startswith(b"HTTP/1.1 101")
    protocol.receive_data(head + separator + (rest if refused else b""))
    if refused:
        protocol.receive_eof()
    events = list(protocol.events_received())
    if protocol.handshake_exc is not None:
        raise protocol.handshake_exc
    if not any(isinstance(event, Response) for event in events):
        raise InvalidHandshake("no answer to the handshake")
    return rest


def _closed(protocol: ClientProtocol) -> Exception:
    """The error for the end of the connection, as far as the protocol core knows."""
    return protocol.parser_exc or ConnectionClosedError(
        protocol.close_rcvd, protocol.close_sent, protocol.close_rcvd_then_sent
    )
