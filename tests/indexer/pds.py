"""A PDS with one repo, and the PLC directory that leads to it, over real HTTP.

It answers as the official one does: records by descending rkey, and the last rkey as the cursor, also on the last page.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from atsite.core.atproto.tid import int_to_tid
from tests import builders as b
from tests.rows import Record, cid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from atsite.core.atproto.syntax import Did

Answer = tuple[int, Any]
MISSING: Answer = (400, {"error": "InvalidRequest", "message": "Could not find repo"})
NO_RECORD: Answer = (400, {"error": "RecordNotFound", "message": "Could not locate record"})


@dataclass
class FakePds:
    """One repo. `commit` writes to it as a commit of the network would; `before` is called before each answer."""

    did: Did
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    rev: int = 1
    #: Answers for a method in place of the usual ones: (status, JSON).
    refuses: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], None] = lambda method, query: None
    page: int = 100
    #: Where the did document says that the repo is; empty: here. 0: there is no such did.
    pds: str = ""
    exists: bool = True
    url: str = ""

    def commit(self, *events: Record) -> None:
        """Apply creates, updates and deletes, in their order."""
        for event in events:
            key = event.collection, event.rkey
            if event.operation == "delete":
                self.records.pop(key, None)
            else:
                self.records[key] = event
            self.rev = max(self.rev, event.version)

    def answer(self, path: str) -> Answer:
        parts = urlsplit(path)
        if parts.path == f"/{self.did}":
            return self._document()
        if parts.path.startswith("/did:"):
            return 404, {"message": "DID not registered"}
        method = parts.path.rpartition(".")[2]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((method, query))
        self.before(method, query)
        if method in self.refuses:
            return self.refuses[method]
        if method == "getLatestCommit":
            return 200, {"cid": cid_of("commit"), "rev": int_to_tid(self.rev)}
        if method == "getRecord":
            record = self.records.get((query["collection"], query["rkey"]))
            return (200, {"uri": record.uri, "cid": record.cid, "value": record.record}) if record else NO_RECORD
        return 200, self._page(query["collection"], int(query["limit"]), query.get("cursor"))

    def _document(self) -> Answer:
        if not self.exists:
            return 404, {"message": "DID not registered"}
        endpoint = self.pds or self.url
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}
        return 200, {"id": self.did, "alsoKnownAs": ["at://mira.test"], "service": [service]}

    def _page(self, collection: str, limit: int, cursor: str | None) -> dict[str, Any]:
        keys = sorted((rkey for its, rkey in self.records if its == collection), reverse=True)
        keys = [rkey for rkey in keys if cursor is None or rkey < cursor][: min(limit, self.page)]
        records = [self.records[collection, rkey] for rkey in keys]
        listed = [{"uri": record.uri, "cid": record.cid, "value": record.record} for record in records]
        return {"records": listed} | ({"cursor": keys[-1]} if keys else {})


@contextmanager
def serving(pds: FakePds) -> Iterator[FakePds]:
    """`pds` at `pds.url`, which is also the address of its PLC directory."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = pds.answer(self.path)
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    pds.url = f"http://localhost:{server.server_port}"
    try:
        yield pds
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pds_of(did: Did = b.ALICE) -> FakePds:
    return FakePds(did)
