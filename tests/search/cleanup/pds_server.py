"""A PDS on a real loopback socket, with its PLC directory and AppView: it answers as the official one was measured to.

Tests pull its strings: they make and change accounts, let calls fail, act between two calls, and see what was asked.
Its clock is a function, so that tokens and limits age as a test wants. The repos are real: trees, hashes, signatures.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import jwt

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from indexer.simulator.serving.plc_directory import did_document
from indexer.simulator.serving.signed_repo import SignedRepo
from tests.search.cleanup.ruled_server import Answer, Call, Refused, RuledServer, cut, listening, refused, silence
from tests.tokens import key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Account", "Answer", "Call", "PdsServer", "cut", "refused", "serving", "silence"]

APP, MAIN = "com.atproto.appPass", "com.atproto.access"
WRITES_MAX: Final = 200
BODY_MAX: Final = 1_000_000
POINTS: Final = {"create": 3, "update": 2, "delete": 1}
ACCESS_SECONDS, REFRESH_SECONDS, GRACE_SECONDS = 7200, 90 * 86_400, 7200
HOUR, DAY = 3600, 86_400
CAR_TYPE: Final = "application/vnd.ipld.car"
_SECRET: Final = "s" * 32
_KEYS: Final = count(500)


@dataclass
class Window:
    """A limit of points; its time begins with the first point, as at the official PDS."""

    limit: int
    seconds: int
    began: float = 0.0
    used: int = 0

    def take(self, points: int, now: float) -> bool:
        """Count them, also those that are too many."""
        if now >= self.began + self.seconds:
            self.began, self.used = now, 0
        self.used += points
        return self.used <= self.limit

    def headers(self, now: float) -> dict[str, str]:
        """What an answer says of this limit."""
        reset = int(self.began + self.seconds) + 1
        return {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(max(0, self.limit - self.used)),
            "ratelimit-reset": str(reset),
            "ratelimit-policy": f"{self.limit};w={self.seconds}",
            "retry-after": str(max(0, int(reset - now))),
        }


class Account:
    """An account of the server."""

    def __init__(self, name: str, did: str, clock: Callable[[], float]) -> None:
        self.did = Did(did)
        self.handle = f"{name}.test"
        self.email = f"{name}@mail.test"
        self.password = f"main password of {name}"
        #: name -> app password; revoke_app_passwords() removes them with their sessions.
        self.app_passwords = {"clean-up": "-".join(secrets.token_hex(2) for _ in range(4))}
        self.has_two_factors = False
        #: "" for an active account, else "takendown" or "deactivated".
        self.status = ""
        #: Where its did document says that it is; "" for this server.
        self.endpoint = ""
        self.key = key(next(_KEYS))
        self.repo = SignedRepo(did, self.key, clock)
        self.hour = Window(5000, HOUR)
        self.day = Window(35_000, DAY)
        self.sign_ins = Window(30, 300)

    @property
    def app_password(self) -> str:
        """The app password that it has from the start."""
        return self.app_passwords["clean-up"]


@dataclass
class _Refresh:
    """What the server knows of a refresh token."""

    did: str
    app_password: str  # its name, "" for the main password
    scope: str
    ends: float
    next: str = ""


class PdsServer(RuledServer):
    """The server."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        #: What the AppView says of posts, by at-uri; of a post without an entry it knows no counts.
        self.counts: dict[str, dict[str, Any]] = {}
        self._refreshes: dict[str, _Refresh] = {}

    # The strings

    def account(self, name: str) -> Account:
        """The account of this name, made now where there is none."""
        with self.lock:
            did = f"did:plc:{name:a<24.24}"
            if did not in self.accounts:
                self.accounts[did] = Account(name, did, self.clock)
            return self.accounts[did]

    def revoke_app_passwords(self, account: Account) -> None:
        """As its owner does it: refresh tokens end, access tokens live on."""
        with self.lock:
            account.app_passwords.clear()
            for jti in [jti for jti, known in self._refreshes.items() if known.did == account.did]:
                if self._refreshes[jti].app_password:
                    del self._refreshes[jti]

    def new_app_password(self, account: Account) -> str:
        """Another app password."""
        with self.lock:
            account.app_passwords["clean-up"] = "-".join(secrets.token_hex(2) for _ in range(4))
            return account.app_password

    @property
    def sessions(self) -> int:
        """How many sessions are open: used refresh tokens, which work for some more hours, do not count."""
        with self.lock:
            return sum(self.clock() < known.ends and not known.next for known in self._refreshes.values())

    def done(self, call: Call) -> Answer:
        """The answer to a call for which there is no rule."""
        with self.lock:
            return self._done(call)

    def _done(self, call: Call) -> Answer:
        method = getattr(self, f"_{call.method}", None)
        if method is None:
            return refused(501, "MethodNotImplemented", call.method)
        try:
            if len(call.raw) > BODY_MAX:
                raise Refused(413, "PayloadTooLargeError", "request entity too large")
            answer = method(call)
        except Refused as error:
            return error.answer
        found: Answer = answer if isinstance(answer, Answer) else Answer(200, answer)
        # The official PDS tells of its limit by address here, and not of that of the account's writes.
        other = {"ratelimit-limit": "3000", "ratelimit-remaining": "2990", "ratelimit-policy": "3000;w=300"}
        found.headers = {**other, "ratelimit-reset": str(int(self.clock()) + 300), **found.headers}
        return found

    # Identities

    def document(self, did: str) -> Answer:
        """The did document of an account."""
        account = self.accounts.get(did)
        if account is None:
            return Answer(404, {"message": f"DID not registered: {did}"})
        multibase = public_key_of(account.key).multibase
        return Answer(200, did_document(did, account.handle, multibase, account.endpoint or self.url))

    def _resolveHandle(self, call: Call) -> Any:
        account = self._named(call.one("handle"))
        if account is None:
            raise Refused(400, "HandleNotFound", "Unable to resolve handle")
        return {"did": account.did}

    def _named(self, name: str) -> Account | None:
        names = (name, name.lower())
        return next((a for a in self.accounts.values() if {a.did, a.handle, a.email}.intersection(names)), None)

    # Sessions

    def _createSession(self, call: Call) -> Any:
        body = call.body if isinstance(call.body, dict) else {}
        identifier, password = body.get("identifier"), body.get("password")
        if not isinstance(identifier, str) or not isinstance(password, str):
            raise Refused(400, "InvalidRequest", 'Input must have the property "password"')
        wrong = Refused(401, "AuthenticationRequired", "Invalid identifier or password")
        account = self._named(identifier)
        now = self.clock()
        if account is not None and not account.sign_ins.take(1, now):
            raise _too_many(account.sign_ins, now)
        if len(password) > 512:
            raise Refused(401, "AuthenticationRequired", "Password too long. Consider resetting your password.")
        if account is None:
            raise wrong
        name = next((name for name, app in account.app_passwords.items() if app == password), "")
        if not name and password != account.password:
            raise wrong
        if account.status == "takendown":
            raise Refused(401, "AccountTakedown", "Account has been taken down")
        if not name and account.has_two_factors and body.get("authFactorToken") != "code":
            raise Refused(401, "AuthFactorTokenRequired", "A sign in code has been sent to your email address")
        return self._session(account, name, APP if name else MAIN, secrets.token_hex(16))

    def _refreshSession(self, call: Call) -> Any:
        known = self._refresh_token(call)[1]
        account = self.accounts[known.did]
        if account.status == "takendown":
            raise Refused(401, "AccountTakedown", "Account has been taken down")
        now = self.clock()
        if not known.next:
            known.next, known.ends = secrets.token_hex(16), min(known.ends, now + GRACE_SECONDS)
        return self._session(account, known.app_password, known.scope, known.next)

    def _deleteSession(self, call: Call) -> Any:
        jti, known = self._refresh_token(call)
        del self._refreshes[jti]
        if known.next:
            self._refreshes.pop(known.next, None)
        return Answer(200)

    def _getSession(self, call: Call) -> Any:
        account = self._authorized(call)
        return {"did": account.did, "handle": account.handle, "active": not account.status}

    def _session(self, account: Account, app_password: str, scope: str, jti: str) -> dict[str, Any]:
        now = self.clock()
        if jti not in self._refreshes:
            self._refreshes[jti] = _Refresh(account.did, app_password, scope, now + REFRESH_SECONDS)
        usual = {"sub": account.did, "aud": "did:web:localhost", "iat": int(now)}
        # `n` makes each token another text, so that a test can tell them apart.
        access = {**usual, "scope": scope, "exp": int(now + ACCESS_SECONDS), "n": secrets.token_hex(8)}
        refresh = {**usual, "scope": "com.atproto.refresh", "jti": jti, "exp": int(now + REFRESH_SECONDS)}
        return {
            "did": account.did,
            "handle": account.handle,
            "email": account.email,
            "accessJwt": jwt.encode(access, _SECRET, "HS256", {"typ": "at+jwt"}),
            "refreshJwt": jwt.encode(refresh, _SECRET, "HS256", {"typ": "refresh+jwt"}),
            "active": not account.status,
            **({"status": account.status} if account.status else {}),
        }

    def _refresh_token(self, call: Call) -> tuple[str, _Refresh]:
        claims = self._claims(call, "refresh+jwt")
        if call.body is not None:
            raise Refused(400, "InvalidRequest", "A request body was provided when none was expected")
        known = self._refreshes.get(claims["jti"])
        if known is None:
            raise Refused(400, "ExpiredToken", "Token has been revoked")
        if self.clock() >= known.ends:
            raise Refused(400, "ExpiredToken", "Token has expired" if not known.next else "Token has been revoked")
        return claims["jti"], known

    def _claims(self, call: Call, kind: str) -> dict[str, Any]:
        scheme, _, token = call.authorization.partition(" ")
        if scheme != "Bearer":
            raise Refused(401, "AuthMissing", "Authentication Required")
        try:
            claims: dict[str, Any] = jwt.decode(
                token, _SECRET, ["HS256"], options={"verify_exp": False, "verify_aud": False, "verify_iat": False}
            )
            found = jwt.get_unverified_header(token).get("typ")
        except jwt.InvalidTokenError as error:
            raise Refused(400, "InvalidToken", "Token could not be verified") from error
        if found != kind:
            raise Refused(400, "InvalidToken", "Invalid token type")
        if claims["exp"] <= self.clock():
            raise Refused(400, "ExpiredToken", "Token has expired")
        return claims

    def _authorized(self, call: Call) -> Account:
        account = self.accounts[self._claims(call, "at+jwt")["sub"]]
        if account.status == "takendown":
            raise Refused(401, "AccountTakedown", "Account has been taken down")
        return account

    # Reading

    def _readable(self, did: str) -> Account:
        account = self.accounts.get(did)
        if account is None:
            raise Refused(400, "RepoNotFound", f"Could not find repo for DID: {did}")
        if account.status:
            name = {"takendown": "RepoTakendown", "deactivated": "RepoDeactivated"}[account.status]
            raise Refused(400, name, f"Repo has been {account.status}: {did}")
        return account

    def _getRepo(self, call: Call) -> Any:
        account = self._readable(call.one("did"))
        return Answer(200, account.repo.file(call.one("since")), {"content-type": CAR_TYPE})

    def _getLatestCommit(self, call: Call) -> Any:
        repo = self._readable(call.one("did")).repo
        return {"cid": repo.cid, "rev": repo.rev}

    def _getRecord(self, call: Call) -> Any:
        account = self._named(call.one("repo"))
        path = f"{call.one('collection')}/{call.one('rkey')}"
        if account is None:
            raise Refused(400, "InvalidRequest", "Could not find repo")
        uri = f"at://{account.did}/{path}"
        if path not in account.repo.values:
            raise Refused(400, "RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, "cid": account.repo.cid_of(path), "value": account.repo.values[path]}

    def _listRecords(self, call: Call) -> Any:
        """By descending rkey; the cursor is the last one of a full page, as at the official PDS."""
        account = self._named(call.one("repo"))
        if account is None:
            raise Refused(400, "InvalidRequest", f"Could not find repo: {call.one('repo')}")
        prefix, cursor, limit = f"{call.one('collection')}/", call.one("cursor"), int(call.one("limit", "50"))
        rkeys = [path.removeprefix(prefix) for path in account.repo.values if path.startswith(prefix)]
        page = sorted((rkey for rkey in rkeys if not cursor or rkey < cursor), reverse=True)[:limit]
        records = [
            {
                "uri": f"at://{account.did}/{prefix}{rkey}",
                "cid": account.repo.cid_of(prefix + rkey),
                "value": account.repo.values[prefix + rkey],
            }
            for rkey in page
        ]
        return {"records": records, **({"cursor": page[-1]} if page else {})}

    def _getPosts(self, call: Call) -> Any:
        posts = []
        for uri in call.query.get("uris", []):
            did, _, path = uri.removeprefix("at://").partition("/")
            account = self.accounts.get(did)
            if account is not None and path in account.repo.values:
                found = {"uri": uri, "cid": account.repo.cid_of(path), "record": account.repo.values[path]}
                posts.append({**found, "author": {"did": did}, **self.counts.get(uri, {})})
        return {"posts": posts}

    # Writing

    def _written(self, call: Call, points: int) -> SignedRepo:
        """The repo of a call that may write to it; its points are counted whatever becomes of it."""
        account = self._authorized(call)
        if account.status == "deactivated":
            raise Refused(401, "AccountDeactivated", "Account is deactivated")
        repo = call.body.get("repo")
        if self._named(repo) is None:
            raise Refused(403, "AccountNotFound", f"Could not find account: {repo}")
        if self._named(repo) is not account:
            raise Refused(401, "AuthenticationRequired", "Authentication Required")
        now = self.clock()
        for window in (account.hour, account.day):
            if not window.take(points, now):
                raise _too_many(window, now)
        return account.repo

    def _applyWrites(self, call: Call) -> Any:
        writes = call.body["writes"]
        if len(writes) > WRITES_MAX:
            raise Refused(400, "InvalidRequest", f"Too many writes. Max: {WRITES_MAX}")
        kinds = [write["$type"].removeprefix("com.atproto.repo.applyWrites#") for write in writes]
        repo = self._written(call, sum(POINTS[kind] for kind in kinds))
        if call.body.get("swapCommit") not in (None, repo.cid):
            raise Refused(400, "InvalidSwap", f"Commit was at {repo.cid}")
        changes: dict[str, dict[str, Any] | None] = {}
        for kind, write in zip(kinds, writes, strict=True):
            path = f"{write['collection']}/{write['rkey']}"
            exists = changes[path] is not None if path in changes else path in repo.values
            if exists == (kind == "create"):
                raise Refused(500, "InternalServerError", "Internal Server Error")  # and nothing is written
            changes[path] = None if kind == "delete" else write["value"]
        repo.write(changes)
        results = [{"$type": f"com.atproto.repo.applyWrites#{kind}Result"} for kind in kinds]
        return {"commit": {"cid": repo.cid, "rev": repo.rev}, "results": results}

    def _deleteRecord(self, call: Call) -> Any:
        repo = self._written(call, POINTS["delete"])
        path = f"{call.body['collection']}/{call.body['rkey']}"
        current, swap = repo.cid_of(path), call.body.get("swapRecord")
        if current is None:
            return {}
        if swap not in (None, current):
            raise Refused(400, "InvalidSwap", f"Record was at {current}")
        repo.write({path: None})
        return {"commit": {"cid": repo.cid, "rev": repo.rev}}


def _too_many(window: Window, now: float) -> Refused:
    error = Refused(429, "RateLimitExceeded", "Rate Limit Exceeded")
    error.answer.headers = window.headers(now)
    return error


@contextmanager
def serving(clock: Callable[[], float]) -> Iterator[PdsServer]:
    """A server at `server.url`, which is also the address of the PLC directory, handle resolver and AppView."""
    with listening(PdsServer(clock)) as server:
        yield server
