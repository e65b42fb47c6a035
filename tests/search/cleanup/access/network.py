"""A network of one account on one port: PLC, handles, and its PDS, which answers as it is told and notes what came."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from atsite.core.atproto.syntax import Did

if TYPE_CHECKING:
    from collections.abc import Iterator

MIRA = Did("did:plc:miramiramiramiramiramira")
HANDLE = "mira.test"
APP_PASSWORD = "abcd-efgh-2345-wxyz"
APP_PASS = "com.atproto.appPass"


def token(scope: object = APP_PASS) -> str:
    """A JWT with that scope; nobody checks its signature."""
    claims = base64.urlsafe_b64encode(json.dumps({"scope": scope}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{claims}.c2ln"


class Network:
    """`account`: what createSession answers where the password is right; `sign_in`: instead of that, if it is set."""

    def __init__(self) -> None:
        #: Calls of the PDS: method, Authorization, body.
        self.calls: list[tuple[str, str, Any]] = []
        self.handles = {HANDLE: MIRA}
        self.account: dict[str, Any] = {
            "did": MIRA,
            "handle": HANDLE,
            "accessJwt": token(),
            "refreshJwt": "the refresh token",
            "active": True,
        }
        self.sign_in: tuple[int, dict[str, str], bytes] | None = None
        #: The status of everything else that the PDS is asked.
        self.status = 200
        self.url = ""
        #: The PDS that the did document names, if it is another.
        self.pds: str | None = None
        self.also_known_as = [f"at://{HANDLE}"]
        self.plc_status = 200

    @property
    def signed_out(self) -> list[str]:
        """The tokens of the sessions that were ended."""
        return [sent.removeprefix("Bearer ") for method, sent, _ in self.calls if method.endswith("deleteSession")]

    def refuse(self, status: int, name: str, **headers: str) -> None:
        """Let createSession answer an error."""
        self.sign_in = _error(status, name, **headers)

    def get(self, target: str) -> tuple[int, object]:
        parts = urlsplit(target)
        if parts.path.endswith("resolveHandle"):
            did = self.handles.get(parse_qs(parts.query)["handle"][0])
            return (200, {"did": did}) if did else (400, {"error": "HandleNotFound"})
        if unquote(parts.path) != f"/{MIRA}":
            return 404, {}
        server = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.pds or self.url}
        return self.plc_status, {"id": MIRA, "alsoKnownAs": self.also_known_as, "service": [server]}

    def post(self, method: str, authorization: str, body: Any) -> tuple[int, dict[str, str], bytes]:
        self.calls.append((method, authorization, body))
        if not method.endswith("createSession"):
            return self.status, {}, b""
        if self.sign_in is not None:
            return self.sign_in
        if body["password"] != APP_PASSWORD:
            return _error(401, "AuthenticationRequired")
        return 200, {}, json.dumps(self.account).encode()


def _error(status: int, name: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    content = {"error": name, "message": "<secret of the PDS>"}
    return status, {key.replace("_", "-"): value for key, value in headers.items()}, json.dumps(content).encode()


@contextmanager
def running_network() -> Iterator[Network]:
    network = Network()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = network.get(self.path)
            self._answer(status, {}, json.dumps(content).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            content = json.loads(body) if body else None
            self._answer(*network.post(self.path.rpartition("/")[2], self.headers.get("authorization", ""), content))

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    network.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
