"""API keys in django-ninja: `auth=[ApiKeyAuth(), …]`. `request.auth` is then a Principal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ninja.security import APIKeyHeader

from apikeys.check import check
from apikeys.keys import PREFIX
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web.auth import client_address, require
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atsite.core.web.auth import Principal, Scope

HEADER: Final = "X-API-Key"
BEARER: Final = "bearer"
#: Invalid keys (unknown, revoked, expired) per minute and client address that get 401; the next ones get 429.
WRONG_KEYS_MAX: Final = 30

_wrong_keys = RateLimit("wrong-api-keys")


class ApiKeyAuth(APIKeyHeader):
    """A key in `X-API-Key`, or in `Authorization: Bearer atsk_…`.

    None if there is neither, so that the next authenticator is tried. An invalid key raises what `apikeys.check.check`
    raises, and never falls through to a weaker authenticator. Only for operations that are not coroutines.
    """

    param_name = HEADER

    def __init__(self, scope: Scope | None = None) -> None:
        """`scope`: the one that opens all operations with this authenticator; their calls are counted apart."""
        super().__init__()
        self._scope = scope

    def _get_key(self, request: HttpRequest) -> str | None:
        key = request.headers.get(HEADER)
        if key is not None:
            return key.strip()
        return bearer_key(request.headers.get("Authorization", ""))

    def authenticate(self, request: HttpRequest, key: str | None) -> Principal | None:
        """The holder of the key."""
        if key is None:
            return None
        principal = check_from(key, client_address(request), apart=self._scope)
        if self._scope is not None:
            require(principal, self._scope)
        return principal


def check_from(key: str, address: str, *, apart: Scope | None = None) -> Principal:
    """What `apikeys.check.check` answers. A client address that sends too many invalid keys gets 429.

    Valid keys from the same address are still accepted, because programs behind one proxy share an address.
    """
    try:
        return check(key, apart=apart)
    except XrpcError as refusal:
        if refusal.name != "AuthenticationRequired":
            raise
        wait = _wrong_keys.take(address, WRONG_KEYS_MAX)
        if not wait:
            raise
        message = f"more than {WRONG_KEYS_MAX} invalid API keys a minute from this address"
        headers = {"Retry-After": str(math.ceil(wait))}
        raise XrpcError("RateLimitExceeded", message, headers=headers) from None


def bearer_key(authorization: str) -> str | None:
    """The API key in an Authorization header, good or not; None where there is another credential, or none."""
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == BEARER and token.startswith(PREFIX) else None
