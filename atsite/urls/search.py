"""What the search service (8092) answers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

import atsite
from atsite.core.web.query import QueryParser
from atsite.core.web.xrpc import install_handlers
from atsite.urls import documentation
from search.web.api import api_router, xrpc_router

xrpc = NinjaAPI(
    title="atsite search (XRPC)",
    version=atsite.__version__,
    urls_namespace="xrpc",
    openapi_url=None,
    docs_url=None,
    parser=QueryParser(),
)
xrpc.add_router("", xrpc_router)

api = NinjaAPI(
    title="atsite search",
    version=atsite.__version__,
    urls_namespace="api",
    docs_url="/docs",
    parser=QueryParser(),
)
api.add_router("", api_router)

for service in (xrpc, api):
    install_handlers(service)

urlpatterns: list[URLPattern | URLResolver] = [
    path("xrpc/", xrpc.urls),
    path("", api.urls),
    *documentation.urlpatterns,
]

handler400 = "atsite.core.web.handler.bad_request"
handler404 = "atsite.core.web.handler.not_found"
