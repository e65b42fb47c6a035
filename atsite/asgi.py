"""The ASGI application of a service, served by granian (`manage.py run_feedgen`, `run_search`, `run_admin`).

ATSITE_SERVICE says which service it is; the settings choose its URLs and middleware. Logs, traces and the
metrics server belong to the process and start with it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from typing import TYPE_CHECKING, Any, cast

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from atsite.core import periodic_thread, telemetry
from atsite.core.config import config
from atsite.core.web import readiness
from atsite.core.web.body_limit import limited
from atsite.core.web.sync_thread import sharing

if TYPE_CHECKING:
    from atsite.core.web.asgi import Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")


#: Bodies of the admin: a file of members may be large, and come over a slow line.
ADMIN_BODY_MAX, ADMIN_BODY_SECONDS = 16 * 1024 * 1024, 60.0


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The lifespan protocol (https://asgi.readthedocs.io/en/latest/specs/lifespan.html); runs the metrics server.

    If it cannot start (its port is in use), the service stops with a message: a service must not run unmonitored.
    """
    await receive()
    try:
        metrics = telemetry.start_metrics(config.metrics_port, health=readiness.stores) if config.metrics_port else None
    except OSError as error:
        message = f"metrics port {config.metrics_port}: {error.strerror}"
        await send({"type": "lifespan.startup.failed", "message": message})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(periodic_thread.finish)
    if metrics is not None:
        await asyncio.to_thread(metrics.stop)
    await send({"type": "lifespan.shutdown.complete"})


def build() -> ProtocolTypeRouter:
    """The admin and the page of clean-ups accept websockets, and only from pages of their own host."""
    gc.disable()  # as manage.py does, until Django has loaded
    telemetry.configure()  # before Django: the instrumentation adds a middleware to its settings
    protocols: dict[str, Any] = {"lifespan": lifespan}
    if config.service in ("feedgen", "search"):
        protocols["http"] = _for_programs()
        if config.service == "search":
            from search.cleanup.web.page import live as cleanup_live

            protocols["websocket"] = cleanup_live.application()
    else:
        protocols["http"] = limited(
            cast("Application", get_asgi_application()), ADMIN_BODY_MAX, seconds=ADMIN_BODY_SECONDS
        )
    if config.service == "admin":
        # Static files are small and come from whitenoise, which reads them synchronously, on purpose.
        warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
        from atsite.dashboard import live

        protocols["websocket"] = live.application()
    return ProtocolTypeRouter(protocols)


def _for_programs() -> Application:
    from atsite.core.web.handler import service_application

    application = service_application()
    if config.service != "feedgen":
        return limited(application)
    from atsite.urls.feedgen import api  # its models are there once Django is
    from feeds.serving.thin_door import PATH, ThinDoor

    return ThinDoor(limited(sharing(application, PATH)), api)


application = build()
gc.freeze()
