"""A service with one operation of each kind, and the router that mounts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

from apikeys.auth import ApiKeyAuth
from atsite.core.web.auth import Scope, require
from atsite.core.web.xrpc import install_handlers

if TYPE_CHECKING:
    from django.http import HttpRequest

    from atsite.core.web.auth import Principal

api = NinjaAPI(urls_namespace="tests-apikeys", auth=[ApiKeyAuth()], docs_url=None, openapi_url=None)
install_handlers(api)


def principal(request: HttpRequest) -> Principal:
    return cast("Principal", request.auth)  # type: ignore[attr-defined]


@api.get("/stats")
def stats(request: HttpRequest) -> dict[str, str]:
    require(principal(request), Scope.STATS)
    return {"key": principal(request).subject}


@api.put("/members/{feed}")
def members(request: HttpRequest, feed: str) -> dict[str, str]:
    require(principal(request), Scope.MEMBERS, feed=feed)
    return {"key": principal(request).subject}


urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls)]
