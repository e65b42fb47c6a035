"""Authentication and authorization of callers. `require` checks scopes.

Readers send a service token of their PDS (`ServiceAuth`), programs an API key (apikeys/auth.py).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from prometheus_client import Counter

from atsite.core.atproto.service_jwt import CLOCK_SKEW_SECONDS, BadToken, ServiceToken, read
from atsite.core.config import config
from atsite.core.identity import LookupFailed, NoSuchIdentity, SigningKeys, site_resolver, stored_keys
from atsite.core.identity.signing_keys import HOST_SECONDS
from atsite.core.kv import PREFIX, quick
from atsite.core.outgoing import Client
from atsite.core.web.client_address import client_of
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.service_jwt import UnverifiedToken
    from atsite.core.atproto.syntax import Did

#: Seconds for the look-up of a key, and more of them if the answer depends on the reader. A reader gives up after 5 s,
#: and the page takes time as well.
PATIENCE_SECONDS: Final = 1.0
MORE_PATIENCE_SECONDS: Final = 1.5
Insist = Callable[[], Awaitable[bool]]
#: The prefix of API keys. They may also be sent as Bearer, but are not tokens.
API_KEY_PREFIX: Final = "atsk_"
#: outcome: good, unverifiable, or the name of the error.
TOKENS: Final = Counter("service_tokens", "Service tokens that came with a request", ["outcome"])
_GOOD_TOKENS: Final = TOKENS.labels(outcome="good")


def client_address(request: HttpRequest) -> str:
    """The address of the client (an IPv6 address as its /64), also behind the proxies in TRUSTED_PROXIES."""
    peer, forwarded = request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_X_FORWARDED_FOR", "")
    return client_of(peer, forwarded, config.trusted_proxies)


class Scope(StrEnum):
    """What a key may do; each operation requires one scope."""

    SEARCH = "search"
    STATS = "stats"
    CLEANUP = "cleanup"
    #: To change and list the members of the feeds that the key covers.
    MEMBERS = "members"
    #: To change and list the members of any label, which includes those of every feed.
    LABELS = "labels"
    #: To have this site read whole repos and lists from other servers.
    TOOLS = "tools"


SCOPES: Final = {
    Scope.SEARCH: "search posts and people",
    Scope.STATS: "read statistics of the network, of feeds and keys",
    Scope.CLEANUP: "plan and start clean-ups",
    Scope.MEMBERS: "change and list members of the feeds it covers",
    Scope.LABELS: "change and list the members of any label, and so the members of every feed",
    Scope.TOOLS: "export repos, read lists and translate addresses",
}


#: The scopes that a new key can get: those that open an operation. Existing keys keep the others.
OFFERED: Final = (Scope.SEARCH, Scope.STATS, Scope.MEMBERS, Scope.LABELS, Scope.TOOLS)


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller with an API key, whose id is `subject`. A reader with a service token is a Viewer and may only read."""

    subject: str
    scopes: frozenset[Scope] = frozenset()
    #: Record keys of the feeds that it may change.
    feeds: frozenset[str] = frozenset()


def principal_of(request: HttpRequest) -> Principal:
    """The caller of an operation with ApiKeyAuth."""
    return cast("Principal", request.auth)  # type: ignore[attr-defined]  # set by ninja


def require(principal: Principal, scope: Scope, *, feed: str | None = None) -> None:
    """Check that `principal` has `scope`, and covers `feed` if given. Raises XrpcError Forbidden."""
    if scope not in principal.scopes:
        raise XrpcError("Forbidden", f"this key lacks the scope {scope}: {SCOPES[scope]}")
    if feed is not None and feed not in principal.feeds:
        raise XrpcError("Forbidden", "this key does not cover that feed")


@dataclass(frozen=True, slots=True)
class Viewer:
    """A reader whose token was verified. Its repr does not contain the did, as it may end up in a log."""

    token: ServiceToken = field(repr=False)

    @property
    def did(self) -> Did:
        return self.token.issuer


class Unverifiable(XrpcError):
    """The issuer's key cannot be fetched now, so the token cannot be verified. If not caught: 502."""

    def __init__(self) -> None:
        super().__init__("UpstreamFailure", "the key of the token's issuer cannot be fetched now, try again later")


class ServiceAuth:
    """Checks the service tokens of readers (https://atproto.com/specs/xrpc#inter-service-authentication-jwt).

    For one event loop. `audience` is the did of this service; without one no token is valid.
    """

    def __init__(self, *, audience: str, keys: SigningKeys) -> None:
        self._audience = audience
        self._keys = keys

    async def authenticate(
        self, authorization: str | None, method: str, now: float, *, insist: Insist | None = None
    ) -> Viewer | None:
        """The reader that the Authorization header proves, for a call of `method` (an NSID) at `now` (unix s).

        `insist` is called if the key is not known after PATIENCE_SECONDS: whether the answer depends on the reader, so
        that it waits for MORE_PATIENCE_SECONDS.
        None without a credential, or with an API key, which another authenticator handles. Raises BadToken (any other
        credential is answered with 401, never treated as anonymous), Unverifiable.
        """
        try:
            text = bearer(authorization)
            if text is None:
                return None
            good = await self._verified(text, method, now, insist)
        except BadToken as bad:
            TOKENS.labels(outcome=bad.name).inc()
            raise
        except Unverifiable:
            TOKENS.labels(outcome="unverifiable").inc()
            raise
        return self._viewer(good)

    def authenticate_at_hand(self, authorization: str, method: str, now: float) -> Viewer | None:
        """The reader that a token proves, if this process has its key; None if `authenticate` has to decide."""
        try:
            text = bearer(authorization)
            good = None if text is None else self._signed_at_hand(self._read(text, method, now))
        except BadToken:
            return None
        return None if good is None else self._viewer(good)

    def _viewer(self, good: ServiceToken) -> Viewer:
        """Its reader, counted and known as one who sent a good token."""
        _GOOD_TOKENS.inc()
        self._keys.prove(good.issuer)
        return Viewer(good)

    def _signed_at_hand(self, token: UnverifiedToken) -> ServiceToken | None:
        """The token, if this process has the key that signed it."""
        key = self._keys.at_hand(token.issuer)
        return None if key is None else _if_signed(token, key)

    def _read(self, text: str, method: str, now: float) -> UnverifiedToken:
        if not self._audience:
            raise BadToken("BadJwtAudience", "this service has no did, so it accepts no token")
        return read(text, audience=self._audience, method=method, now=now)

    async def _verified(self, text: str, method: str, now: float, insist: Insist | None) -> ServiceToken:
        token = self._read(text, method, now)
        if good := self._signed_at_hand(token):
            return good
        looking = asyncio.create_task(self._verified_by_looking(token))
        try:
            done, _ = await asyncio.wait([looking], timeout=PATIENCE_SECONDS)
            if not done and insist is not None and await insist():
                await asyncio.wait([looking], timeout=MORE_PATIENCE_SECONDS)
            if not looking.done():
                raise Unverifiable
            return looking.result()
        except LookupFailed as error:
            raise Unverifiable from error
        except NoSuchIdentity as error:
            raise BadToken("BadJwtIss", "the issuer has no usable did document") from error
        finally:
            looking.cancel()  # the look-up itself continues, for the next reader

    async def _verified_by_looking(self, token: UnverifiedToken) -> ServiceToken:
        """Verify with the cached key, else with the current one: keys are rotated. Raises as SigningKeys does."""
        key = await self._keys.key(token.issuer)
        if key is not None and (good := _if_signed(token, key)):
            return good
        newer = await self._keys.renewed(token.issuer) or key
        if newer is None:
            raise BadToken("BadJwtIss", "the issuer's did document has no usable key")
        return token.verified_by(newer)


def bearer(authorization: str | None) -> str | None:
    """The token in an Authorization header; None if there is no header, or if it has an API key.

    Raises BadToken for anything else.
    """
    if authorization is None or not authorization.strip():
        return None
    scheme, _, text = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise BadToken("AuthenticationRequired", "the only supported scheme is Bearer, with a service token")
    return None if text.startswith(API_KEY_PREFIX) else text


def _if_signed(token: UnverifiedToken, key: PublicKey) -> ServiceToken | None:
    try:
        return token.verified_by(key)
    except BadToken:
        return None


def take_jti(token: ServiceToken, now: float) -> None:
    """Use up a token before a call that writes: a second use is refused (`now` in unix seconds). Blocks on Redis.

    Raises BadToken if it was used before or has no jti; RedisAway (503), because use cannot be checked without Redis.
    """
    if token.jti is None:
        raise BadToken("BadJwt", "a call that writes needs a token with a jti")
    # Both texts are untrusted and may be long.
    key = f"{PREFIX}jti:{sha256(f'{token.issuer} {token.jti}'.encode()).hexdigest()}"
    seconds = max(1, math.ceil(token.expires_at + CLOCK_SKEW_SECONDS - now))
    if not quick.ask(lambda client: client.set(key, b"", nx=True, ex=seconds)):
        raise BadToken("BadJwt", "the token was used before")


@lru_cache(maxsize=1)
def service_auth() -> ServiceAuth:
    """The ServiceAuth of this process, for its event loop."""
    resolver = site_resolver(Client(loopback=config.allow_loopback), host_seconds=HOST_SECONDS)
    keys = SigningKeys(resolver, quick.asking(), read_stored=stored_keys.fresh, replace_stored=stored_keys.replace)
    return ServiceAuth(audience=config.service_did, keys=keys)
