"""The feed generator without its thin door: every request goes through Django and ninja."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter

from atsite import asgi
from feeds.serving.thin_door import ThinDoor

_mounted = asgi.application.application_mapping
assert isinstance(_mounted["http"], ThinDoor)
application = ProtocolTypeRouter({**_mounted, "http": _mounted["http"].django})
