"""The account that publishes the demo's feeds, on a PDS of its own: it can sign in, and write records.

Lexicons com.atproto.server.createSession and deleteSession, com.atproto.repo.putRecord, deleteRecord, getRecord and
listRecords. The other accounts of the network only appear in its stream (xrpc.py). The records are kept in a file.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from atsite.core.atproto.keys import public_key_of
from atsite.core.embedded import files
from indexer.simulator.demo import PUBLISHER, PUBLISHER_HANDLE
from indexer.simulator.network.cids import record_cid
from indexer.simulator.serving.plc_directory import RESOLVE_HANDLE, Page, did_document, json_page

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "publisher.json"
_XRPC: Final = "/xrpc/"


@dataclass
class Publisher:
    """Answers requests about the publisher's account. `folder`: where its records are kept; `password`: its own."""

    folder: Path
    password: str
    #: The tokens of the sessions since the start.
    tokens: set[str] = field(default_factory=set)

    def get(self, target: str, *, origin: str) -> Page | None:
        """The answer to GET `target` (path and query); None if it is not about this account."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if unquote(parts.path) == f"/{PUBLISHER}":
            key = public_key_of(ec.derive_private_key(1 + len(PUBLISHER), ec.SECP256K1())).multibase  # signs nothing
            return json_page(200, did_document(PUBLISHER, PUBLISHER_HANDLE, key, origin))
        if parts.path == RESOLVE_HANDLE and query.get("handle") == PUBLISHER_HANDLE:
            return json_page(200, {"did": PUBLISHER})
        if query.get("repo") not in (PUBLISHER, PUBLISHER_HANDLE):
            return None
        match parts.path.removeprefix(_XRPC):
            case "com.atproto.repo.getRecord":
                uri = _uri(query)
                found = self._records().get(uri)
                return json_page(200, found) if found else _refused("RecordNotFound", f"Could not locate record: {uri}")
            case "com.atproto.repo.listRecords":
                begin = f"at://{PUBLISHER}/{query.get('collection')}/"
                return json_page(200, {"records": [v for uri, v in self._records().items() if uri.startswith(begin)]})
        return None

    def post(self, target: str, authorization: str, body: bytes) -> Page:
        """The answer to a POST with a JSON body."""
        method = urlsplit(target).path.removeprefix(_XRPC)
        try:
            content = json.loads(body or b"{}")
        except ValueError:
            return _refused("InvalidRequest", "the body is not JSON")
        if method == "com.atproto.server.createSession":
            return self._session(content)
        token = authorization.removeprefix("Bearer ")
        if token not in self.tokens:
            return _refused("InvalidToken", "this token belongs to no session", 401)
        match method:
            case "com.atproto.server.deleteSession":
                self.tokens.discard(token)
                return json_page(200, {})
            case "com.atproto.repo.putRecord" | "com.atproto.repo.deleteRecord" if content.get("repo") == PUBLISHER:
                return self._written(_uri(content), content.get("record") if method.endswith("putRecord") else None)
        return _refused("InvalidRequest", f"{method} is not available")

    def _session(self, content: dict[str, Any]) -> Page:
        known = content.get("identifier") in (PUBLISHER, PUBLISHER_HANDLE)
        if not known or not hmac.compare_digest(str(content.get("password")), self.password):
            return _refused("AuthenticationRequired", "Invalid identifier or password", 401)
        access, refresh = secrets.token_hex(16), secrets.token_hex(16)
        self.tokens |= {access, refresh}
        session = {"did": PUBLISHER, "handle": PUBLISHER_HANDLE, "accessJwt": access, "refreshJwt": refresh}
        return json_page(200, session)

    def _written(self, uri: str, value: Any) -> Page:
        """Keep the record, or delete it where `value` is None."""
        records = self._records()
        records.pop(uri, None)
        if value is not None:
            records[uri] = {"uri": uri, "cid": record_cid(json.dumps(value)), "value": value}
        files.write_private(self.folder / FILE, json.dumps(records, indent=2) + "\n")
        return json_page(200, {name: records[uri][name] for name in ("uri", "cid")} if uri in records else {})

    def _records(self) -> dict[str, dict[str, Any]]:
        """The records by at-uri."""
        path = self.folder / FILE
        records: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return records


def _uri(named: dict[str, Any]) -> str:
    return f"at://{PUBLISHER}/{named.get('collection')}/{named.get('rkey')}"


def _refused(name: str, message: str, status: int = 400) -> Page:
    return json_page(status, {"error": name, "message": message})
