"""What the feed generator (8094) answers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

from atsite.xrpc import install_handlers
from feeds.api import install_feed_errors, well_known, xrpc

api = NinjaAPI(title="Feed generator", urls_namespace="feedgen", docs_url=None, openapi_url=None)
install_handlers(api)
install_feed_errors(api)
api.add_router("/xrpc", xrpc)
api.add_router("/.well-known", well_known)

urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls)]
