"""The demo account that tries clean-ups, on a PDS of its own: it signs in with an app password, and has a real repo.

Lexicons com.atproto.server.createSession, refreshSession and deleteSession, com.atproto.sync.getRepo and
getLatestCommit, com.atproto.repo.applyWrites, deleteRecord and getRecord, and app.bsky.feed.getPosts for the counts of
its posts. The errors are those of the official PDS. Nothing is kept: a new start has all records again.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from atsite.core.atproto.keys import public_key_of
from indexer.simulator.demo import OWNER, OWNER_APP_PASSWORD, OWNER_HANDLE
from indexer.simulator.network.owner_records import POST, owner_records
from indexer.simulator.serving.plc_directory import RESOLVE_HANDLE, Page, did_document, json_page
from indexer.simulator.serving.signed_repo import SignedRepo

if TYPE_CHECKING:
    from collections.abc import Callable

_XRPC: Final = "/xrpc/"
CAR_TYPE: Final = "application/vnd.ipld.car"
WRITES_MAX: Final = 200
_SCOPE: Final = "com.atproto.appPass"


@dataclass
class Owner:
    """Answers requests about the account. `clock`: unix microseconds."""

    clock: Callable[[], int]
    _tokens: dict[str, str] = field(default_factory=dict, init=False)  # access and refresh token of each session
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _repo: SignedRepo | None = field(default=None, init=False)

    @property
    def repo(self) -> SignedRepo:
        """The repo, made at its first use."""
        if self._repo is None:
            signer = ec.derive_private_key(7 + len(OWNER), ec.SECP256K1())
            made = SignedRepo(OWNER, signer, lambda: self.clock() / 1_000_000)
            made.write(owner_records(self.clock()))
            self._repo = made
        return self._repo

    def get(self, target: str, *, origin: str) -> Page | None:
        """The answer to GET `target` (path and query); None if it is not about this account."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        one = {name: values[0] for name, values in query.items()}
        if unquote(parts.path) == f"/{OWNER}":
            key = public_key_of(self.repo.signer).multibase
            return json_page(200, did_document(OWNER, OWNER_HANDLE, key, origin))
        if parts.path == RESOLVE_HANDLE and one.get("handle") == OWNER_HANDLE:
            return json_page(200, {"did": OWNER})
        if parts.path == f"{_XRPC}app.bsky.feed.getPosts" and one.get("uris", "").startswith(f"at://{OWNER}/"):
            return json_page(200, {"posts": [found for uri in query["uris"] if (found := self._post(uri))]})
        if OWNER not in (one.get("did"), one.get("repo")):
            return None
        match parts.path.removeprefix(_XRPC):
            case "com.atproto.sync.getRepo":
                return Page(200, self.repo.file(one.get("since", "")), CAR_TYPE)
            case "com.atproto.sync.getLatestCommit":
                return json_page(200, {"cid": self.repo.cid, "rev": self.repo.rev})
            case "com.atproto.repo.getRecord":
                return self._record(f"{one.get('collection')}/{one.get('rkey')}")
        return None

    def post(self, target: str, authorization: str, body: bytes) -> Page | None:
        """The answer to a POST; None if it is not about this account."""
        method = urlsplit(target).path.removeprefix(_XRPC)
        token = authorization.removeprefix("Bearer ")
        try:
            content = json.loads(body or b"{}")
        except ValueError:
            return None
        if method == "com.atproto.server.createSession":
            return self._sign_in(content) if content.get("identifier") in (OWNER, OWNER_HANDLE) else None
        with self._lock:
            if token in self._tokens.values() and method.startswith("com.atproto.server."):
                self._tokens = {access: refresh for access, refresh in self._tokens.items() if refresh != token}
                return self._session() if method.endswith("refreshSession") else json_page(200, {})
            if token not in self._tokens:
                is_own = content.get("repo") == OWNER or token.endswith(f".{_mark()}")
                return _refused("ExpiredToken", "Token has been revoked") if is_own else None
            if method == "com.atproto.repo.applyWrites":
                return self._apply(content)
            if method == "com.atproto.repo.deleteRecord":
                return self._delete(content)
        return _refused("InvalidRequest", f"{method} is not available")

    def _sign_in(self, content: dict[str, Any]) -> Page:
        if not hmac.compare_digest(str(content.get("password")).encode(), OWNER_APP_PASSWORD.encode()):
            return _refused("AuthenticationRequired", "Invalid identifier or password", 401)
        with self._lock:
            return self._session()

    def _session(self) -> Page:
        access, refresh = _token(_SCOPE), _token("com.atproto.refresh")
        self._tokens[access] = refresh
        session = {"did": OWNER, "handle": OWNER_HANDLE, "accessJwt": access, "refreshJwt": refresh, "active": True}
        return json_page(200, session)

    def _apply(self, content: dict[str, Any]) -> Page:
        """All writes in one commit, or none."""
        writes = content.get("writes", [])
        if len(writes) > WRITES_MAX:
            return _refused("InvalidRequest", f"Too many writes. Max: {WRITES_MAX}")
        if content.get("swapCommit") not in (None, self.repo.cid):
            return _refused("InvalidSwap", f"Commit was at {self.repo.cid}")
        changes: dict[str, dict[str, Any] | None] = {}
        for write in writes:
            path = f"{write['collection']}/{write['rkey']}"
            creates = write["$type"].endswith("#create")
            if path in changes or (path in self.repo.values) == creates:
                return _refused("InternalServerError", "Internal Server Error", 500)
            changes[path] = write["value"] if creates else None
        self.repo.write(changes)
        return json_page(200, {"commit": {"cid": self.repo.cid, "rev": self.repo.rev}, "results": [{}] * len(writes)})

    def _delete(self, content: dict[str, Any]) -> Page:
        path = f"{content.get('collection')}/{content.get('rkey')}"
        current = self.repo.cid_of(path)
        if current is not None and content.get("swapRecord") not in (None, current):
            return _refused("InvalidSwap", f"Record was at {current}")
        self.repo.write({path: None})
        return json_page(200, {"commit": {"cid": self.repo.cid, "rev": self.repo.rev}})

    def _record(self, path: str) -> Page:
        uri = f"at://{OWNER}/{path}"
        if path not in self.repo.values:
            return _refused("RecordNotFound", f"Could not locate record: {uri}")
        return json_page(200, {"uri": uri, "cid": self.repo.cid_of(path), "value": self.repo.values[path]})

    def _post(self, uri: str) -> dict[str, Any] | None:
        """A post as the AppView shows it, with made-up counts."""
        path = uri.removeprefix(f"at://{OWNER}/")
        if not path.startswith(f"{POST}/") or path not in self.repo.values:
            return None
        number = sum(path.encode())
        counts = {"likeCount": number % 97 if number % 5 == 0 else number % 7, "replyCount": number % 3}
        return {"uri": uri, "cid": self.repo.cid_of(path), "author": {"did": OWNER}, **counts}


def _token(scope: str) -> str:
    """A token with the claims that a client reads, without a signature: it is compared as a whole."""
    claims = json.dumps({"scope": scope, "sub": OWNER, "jti": secrets.token_hex(16)}).encode()
    return f"{_part(b'{}')}.{_part(claims)}.{_mark()}"


def _mark() -> str:
    return _part(b"a token of the demo")


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _refused(name: str, message: str, status: int = 400) -> Page:
    return json_page(status, {"error": name, "message": message})
