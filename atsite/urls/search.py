"""What the search service (8092) answers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

import atsite
from atsite.core.config import SERVICE_PORTS, config
from atsite.core.web.documented import DocumentedApi
from atsite.urls import documentation
from search.cleanup.web.api import router as cleanup_router
from search.web import people, posts_api, tools_api
from search.web.api import api_router, xrpc_router

api = DocumentedApi(
    title="atsite search",
    version=atsite.__version__,
    about="Search of posts and people and statistics of the network as this site knows it, and clean-ups and exports "
    "of repos.",
    server=f"http://127.0.0.1:{SERVICE_PORTS['search'] + config.port_offset}",
)
api.add_router("/xrpc", xrpc_router)
api.add_router("/xrpc", posts_api.xrpc_router)
api.add_router("/xrpc", people.xrpc_router)
api.add_router("", api_router)
api.add_router("", posts_api.api_router)
api.add_router("", people.router)
api.add_router("", cleanup_router)
api.add_router("", tools_api.router)  # after /repo/cleanup, which is no account

urlpatterns: list[URLPattern | URLResolver] = [
    path("cleanup/", include("search.cleanup.web.page.urls")),
    # Before the API, whose root answers nothing.
    *([path("", include("search.web.public.urls"))] if config.search.public_page else []),
    path("", api.urls),
    *documentation.urlpatterns,
]

handler400 = "atsite.core.web.handler.bad_request"
handler404 = "atsite.core.web.handler.not_found"
