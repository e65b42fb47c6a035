"""Who may ask the search service: callers with an API key, and others as far as the settings allow.

The tools (`tools_access`) have settings of their own: they make this site ask other servers, so they are closed to
callers without a key unless the operator opens them. Calls with a key are counted by key and scope, others by client
address (an IPv6 address as its /64). An operation with `access` documents it by
`example(…, scopes=(scope,), anonymous=True)`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from apikeys.auth import ApiKeyAuth
from atsite.core.config import config
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web.auth import Principal, Scope, client_address
from atsite.core.web.documented import failures
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from atsite.core.config.search import SearchConfig
    from atsite.core.config.tools import ToolsConfig

#: The error answers of operations with `access`, for their `response`.
ACCESS_FAILURES: Final = failures(400, 401, 403, 429, 503, 504)
#: The caller without a key.
NOBODY: Final = Principal("")

_calls = RateLimit("search-address")
_calls_of_tools = RateLimit("tools-address")


def access(scope: Scope) -> list[Callable[[HttpRequest], Principal | None]]:
    """The authenticators of operations that a key with `scope` opens, and callers without one may use."""
    return [ApiKeyAuth(scope), anonymous]


def tools_access() -> list[Callable[[HttpRequest], Principal | None]]:
    """The authenticators of the tools."""
    return [ApiKeyAuth(Scope.TOOLS), anonymous_with_tools]


def anonymous(request: HttpRequest) -> Principal | None:
    """A caller without a key; None (401) if the settings do not allow that.

    Raises XrpcError RateLimitExceeded with Retry-After.
    """
    return _counted(request, config.search, _calls)


def anonymous_with_tools(request: HttpRequest) -> Principal | None:
    """As `anonymous`, for the tools."""
    return _counted(request, config.tools, _calls_of_tools)


def _counted(request: HttpRequest, settings: SearchConfig | ToolsConfig, calls: RateLimit) -> Principal | None:
    if not settings.anonymous:
        return None
    wait = calls.take(client_address(request), settings.anonymous_per_minute)
    if wait:
        message = f"more than {settings.anonymous_per_minute} calls a minute from this address without an API key"
        raise XrpcError("RateLimitExceeded", message, headers={"Retry-After": str(math.ceil(wait))})
    return NOBODY
