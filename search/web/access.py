"""Who may ask the search service: callers with an API key, and others as far as the settings allow.

Calls with a key are counted by key and scope, others by client address (an IPv6 address as its /64). An operation with
`access` documents it by `example(…, scopes=(scope,), anonymous=True)`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from apikeys.auth import ApiKeyAuth
from atsite.core.config import config
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web.auth import Principal, client_address
from atsite.core.web.documented import failures
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from atsite.core.web.auth import Scope

#: The error answers of operations with `access`, for their `response`.
ACCESS_FAILURES: Final = failures(400, 401, 403, 429, 503, 504)
#: The caller without a key.
NOBODY: Final = Principal("")

_calls = RateLimit("search-address")


def access(scope: Scope) -> list[Callable[[HttpRequest], Principal | None]]:
    """The authenticators of operations that a key with `scope` opens, and callers without one may use."""
    return [ApiKeyAuth(scope), anonymous]


def anonymous(request: HttpRequest) -> Principal | None:
    """A caller without a key; None (401) if the settings do not allow that.

    Raises XrpcError RateLimitExceeded with Retry-After.
    """
    settings = config.search
    if not settings.anonymous:
        return None
    wait = _calls.take(client_address(request), settings.anonymous_per_minute)
    if wait:
        message = f"more than {settings.anonymous_per_minute} calls a minute from this address without an API key"
        raise XrpcError("RateLimitExceeded", message, headers={"Retry-After": str(math.ceil(wait))})
    return NOBODY
