"""The ASGI application of a service, served by granian (`manage.py run_feedgen`, `run_search`, `run_admin`).

Which service it is stands in ATSITE_SERVICE; the settings choose its URLs and middleware. The lifespan starts what
belongs to the process and not to a request: logs, traces and the metrics server.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

from atsite import telemetry
from atsite.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The lifespan protocol (https://asgi.readthedocs.io/en/latest/specs/lifespan.html).

    A start that fails (a metrics port that is taken) stops the server with its sentence instead of half serving.
    """
    await receive()
    try:
        telemetry.configure()
        telemetry.start_metrics(config.metrics_port)
    except OSError as error:
        await send(
            {"type": "lifespan.startup.failed", "message": f"metrics port {config.metrics_port}: {error.strerror}"}
        )
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def build() -> ProtocolTypeRouter:
    """Only the admin speaks websocket, and only to pages of its own host."""
    protocols: dict[str, Any] = {"lifespan": lifespan, "http": get_asgi_application()}
    if config.service == "admin":
        # Static files are small and come from whitenoise, which reads them synchronously: that is meant.
        warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
        protocols["websocket"] = AllowedHostsOriginValidator(URLRouter([]))
    return ProtocolTypeRouter(protocols)


application = build()
