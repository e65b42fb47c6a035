"""What the feed generator (8094) answers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

import atsite
from apikeys.auth import ApiKeyAuth
from atsite.core.web.query import QueryParser
from atsite.core.web.xrpc import install_handlers
from atsite.urls import documentation
from feeds.members import api as members_api
from feeds.serving import interactions_api
from feeds.serving.api import install_feed_errors, well_known, xrpc
from labels import api as labels_api

protocol = NinjaAPI(
    title="Feed generator", urls_namespace="feedgen", docs_url=None, openapi_url=None, parser=QueryParser()
)
protocol.add_router("/xrpc", xrpc)
protocol.add_router("/xrpc", interactions_api.router)
protocol.add_router("/.well-known", well_known)

api = NinjaAPI(
    title="atsite feeds",
    version=atsite.__version__,
    urls_namespace="feedgen-api",
    docs_url="/docs",
    parser=QueryParser(),
)
api.add_router("", members_api.router)
api.add_router("", labels_api.router, auth=[ApiKeyAuth()])

for service in (protocol, api):
    install_handlers(service)
    install_feed_errors(service)

urlpatterns: list[URLPattern | URLResolver] = [path("", protocol.urls), path("", api.urls), *documentation.urlpatterns]

handler400 = "atsite.core.web.handler.bad_request"
handler404 = "atsite.core.web.handler.not_found"
