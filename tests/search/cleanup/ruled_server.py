"""A server on a real loopback socket whose strings a test pulls: calls fail, answers get lost, and more.

What it answers where no rule of the test does, its subclasses say: a PDS of its own (pds_server.py), or a proxy.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass
class Answer:
    """One answer. Bytes are sent as they are, anything else as JSON, None as no body."""

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    #: Do not answer: cut the connection after that many bytes of the body, or keep it open in silence.
    cut_after: int | None = None
    is_silent: bool = False
    #: Send these instead of `content`, without a length, until they or the client end.
    chunks: Iterable[bytes] | None = None


def cut(after: int = -1) -> Answer:
    """A connection that is reset, before the head (-1) or after some bytes of the body."""
    return Answer(0, cut_after=after)


def silence() -> Answer:
    """A connection on which nothing comes."""
    return Answer(0, is_silent=True)


class Refused(Exception):
    """An XRPC error."""

    def __init__(self, status: int, name: str, message: str = "", **headers: str) -> None:
        super().__init__(message)
        content = {"error": name, "message": message}
        self.answer = Answer(status, content, {key.replace("_", "-"): value for key, value in headers.items()})


def refused(status: int, name: str, message: str = "", **headers: str) -> Answer:
    """An XRPC error as an answer."""
    return Refused(status, name, message, **headers).answer


@dataclass
class Call:
    """One request for an XRPC method, such as `applyWrites`.

    `done`: the status of what the server did, `status`: that of the answer, which a rule may have changed. 0: nothing.
    """

    method: str
    query: dict[str, list[str]]
    body: Any
    authorization: str
    verb: str
    target: str
    raw: bytes = field(repr=False)
    status: int = 0
    done: int = 0

    def one(self, name: str, default: str = "") -> str:
        """The value of a parameter."""
        return self.query.get(name, [default])[0]


#: A rule is asked before a call is answered: it returns an answer of its own, or what `go_on()` answers.
Rule = Any  # Callable[[Call, Callable[[], Answer]], Answer | None]


class RuledServer:
    """The server. All its methods may be called from any thread; rules run in the thread of the request."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        #: Errors of the server itself.
        self.errors: list[BaseException | None] = []
        self._rules: list[tuple[str, int | None, Rule]] = []
        self._ended = threading.Event()

    def document(self, did: str) -> Answer:
        """What the PLC directory says of a did."""
        raise NotImplementedError

    def done(self, call: Call) -> Answer:
        """The answer to a call for which there is no rule."""
        raise NotImplementedError

    # The strings

    def rule(self, method: str, rule: Rule, times: int | None = 1) -> None:
        """`rule(call, go_on)` answers the next calls of a method ("*": of any); None: for ever. The newest goes first.

        A rule that returns None leaves the call to the next one and is not used up.
        """
        with self.lock:
            self._rules.insert(0, (method, times, rule))

    def fail(self, method: str, answer: Answer, times: int | None = 1) -> None:
        """Answer so without acting."""
        self.rule(method, lambda call, go_on: answer, times)

    def lose_answer(self, method: str, answer: Answer | None = None, times: int | None = 1) -> None:
        """Act, and answer so: by default the connection is cut."""

        def rule(call: Call, go_on: Callable[[], Answer]) -> Answer:
            go_on()
            return answer or cut()

        self.rule(method, rule, times)

    def before(self, method: str, act: Callable[[Call], object], times: int | None = 1) -> None:
        """Do something when a call has come and nothing is done yet."""

        def rule(call: Call, go_on: Callable[[], Answer]) -> Answer:
            act(call)
            return go_on()

        self.rule(method, rule, times)

    def after(self, method: str, act: Callable[[Call], object], times: int | None = 1) -> None:
        """Do something when a call is done and its answer is not sent yet."""

        def rule(call: Call, go_on: Callable[[], Answer]) -> Answer:
            answer = go_on()
            act(call)
            return answer

        self.rule(method, rule, times)

    def well(self) -> None:
        """Forget all rules."""
        with self.lock:
            self._rules.clear()

    def asked(self, method: str) -> list[Call]:
        """The calls of a method so far."""
        with self.lock:
            return [call for call in self.calls if call.method == method]

    # Requests

    def answer(self, verb: str, target: str, authorization: str, body: bytes) -> Answer:
        """The answer to a request."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        if path.startswith("/did:"):
            return self.document(path[1:])
        if not path.startswith("/xrpc/"):
            return Answer(404, {"error": "NotFound", "message": ""})
        try:
            content = json.loads(body) if body else None
        except ValueError:
            return refused(400, "InvalidRequest", "not JSON")
        query = parse_qs(parts.query, keep_blank_values=True)
        call = Call(path.rpartition(".")[2], query, content, authorization, verb, target, body)
        with self.lock:
            self.calls.append(call)
            rules = list(self._rules)
        answer = self._ruled(call, rules)
        call.status = answer.status
        return answer

    def _ruled(self, call: Call, rules: Sequence[tuple[str, int | None, Rule]]) -> Answer:
        def go_on() -> Answer:
            answer = self.done(call)
            call.done = answer.status
            return answer

        for entry in rules:
            method, times, rule = entry
            if method not in ("*", call.method):
                continue
            answer = rule(call, go_on)
            if answer is None:
                continue
            with self.lock:
                if times is not None and entry in self._rules:
                    place = self._rules.index(entry)
                    self._rules[place : place + 1] = [(method, times - 1, rule)] if times > 1 else []
            return answer  # type: ignore[no-any-return]
        return go_on()

    def send(self, answer: Answer, handler: BaseHTTPRequestHandler) -> None:
        """Write an answer to the socket, or fail to."""
        if answer.is_silent:
            self._ended.wait()
        elif answer.cut_after == -1:
            _reset(handler.connection)
        else:
            body = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
            body = b"" if answer.content is None else body
            handler.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                handler.send_header(name, value)
            if answer.chunks is not None:
                self._send_chunks(answer.chunks, handler)
                return
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[: answer.cut_after])
            if answer.cut_after is not None:
                handler.wfile.flush()
                _reset(handler.connection)

    def _send_chunks(self, chunks: Iterable[bytes], handler: BaseHTTPRequestHandler) -> None:
        """A body that ends with its connection."""
        handler.send_header("connection", "close")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(chunk)
            handler.wfile.flush()
            if self._ended.is_set():
                return

    def end(self) -> None:
        """Let go of the silent connections."""
        self._ended.set()


S = TypeVar("S", bound=RuledServer)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def listening(pds: S) -> Iterator[S]:
    """Let the server answer at `pds.url`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # head and body in one packet

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            answer = pds.answer(self.command, self.path, self.headers.get("authorization", ""), body)
            self.close_connection = answer.is_silent or answer.cut_after is not None or answer.chunks is not None
            pds.send(answer, self)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, request: Any, client_address: Any) -> None:
            error = sys.exception()
            if not isinstance(error, OSError):  # a client that is gone
                pds.errors.append(error)

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    pds.url = f"http://localhost:{server.server_port}"
    try:
        yield pds
    finally:
        pds.end()
        server.shutdown()
        thread.join()
        server.server_close()
        if pds.errors:
            raise AssertionError("the server itself failed") from pds.errors[0]
