"""What the feed generator (8094) answers."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

import atsite
from apikeys.auth import ApiKeyAuth
from atsite.core.config import SERVICE_PORTS, config
from atsite.core.web.documented import DocumentedApi
from atsite.urls import documentation
from feeds.members import api as members_api
from feeds.serving import interactions_api
from feeds.serving.api import install_feed_errors, well_known, xrpc
from labels import api as labels_api

api = DocumentedApi(
    title="atsite feeds",
    version=atsite.__version__,
    about="The feed generator: the XRPC methods that the AppView calls, and members, labels and usage for programs.",
    server=config.service_endpoint or f"http://127.0.0.1:{SERVICE_PORTS['feedgen'] + config.port_offset}",
)
api.add_router("/xrpc", xrpc)
api.add_router("/xrpc", interactions_api.router)
api.add_router("/.well-known", well_known)
api.add_router("", members_api.router)
api.add_router("", labels_api.router, auth=[ApiKeyAuth()])
install_feed_errors(api)

urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls), *documentation.urlpatterns]

handler400 = "atsite.core.web.handler.bad_request"
handler404 = "atsite.core.web.handler.not_found"
