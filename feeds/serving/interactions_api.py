"""The door of app.bsky.feed.sendInteractions."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from atsite.core.kv.quick import RedisAway
from atsite.core.web.auth import service_auth, take_jti
from atsite.core.web.documented import example, failures
from atsite.core.web.xrpc import XrpcError
from feeds.serving.registry import registry
from feeds.serving.skeleton import rkey_of
from feeds.usage import interactions, sending_limits
from feeds.usage.counting import RECORDER, pseudonym
from feeds.usage.interactions import SEND
from feeds.usage.interactions_outbox import OUTBOX, RETRY_SECONDS, OutboxFull

if TYPE_CHECKING:
    from atsite.core.web.auth import Viewer
    from feeds.usage.interactions import Call

router = Router(tags=["xrpc"])

#: For the example of /docs.
POST: Final = "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"
SEEN: Final = "app.bsky.feed.defs#interactionSeen"


@router.post(
    f"/{SEND}",
    response={200: dict[str, Any], **failures(400, 401, 413, 429, 502, 503)},
    openapi_extra=example({}, token=True, body={"interactions": [{"item": POST, "event": SEEN}]}),
)
async def send_interactions(request: HttpRequest) -> HttpResponse:
    """Store interactions reported by a reader's app. Needs a service token for this method, for one call."""
    # atsite.core.web.body_limit refused larger bodies. The token is marked as used last, when nothing else can refuse.
    now = time.time()
    viewer = await service_auth().authenticate(request.headers.get("Authorization"), SEND, now, insist=_always)
    if viewer is None:
        raise XrpcError("AuthenticationRequired", "interactions are accepted only from readers who are logged in")
    call = interactions.read(request.body)
    await asyncio.to_thread(_take, call, viewer, now)
    return JsonResponse({})


async def _always() -> bool:
    """The answer always depends on the reader, so it waits longer for the key."""
    return True


def _take(call: Call, viewer: Viewer, now: float) -> None:
    """Raises UnknownFeed, InvalidSyntax, BadToken, XrpcError NotEnoughResources, RateLimitExceeded."""
    feed = "" if call.feed is None else rkey_of(registry(), call.feed)
    sender = pseudonym(viewer.did).hex()
    try:
        OUTBOX.check_room(sender)
        sending_limits.take(sender, max(1, len(call.interactions)))  # first, to bound the used tokens in Redis
        take_jti(viewer.token, now)
    except (OutboxFull, RedisAway) as error:
        message = "interactions cannot be stored now, try again later"
        raise XrpcError("NotEnoughResources", message, headers={"Retry-After": RETRY_SECONDS}) from error
    if not call.interactions:
        return
    received_at = datetime.fromtimestamp(now, UTC)
    OUTBOX.add(interactions.rows(call, feed=feed, sender=sender, now=received_at))
    RECORDER.count("interactions", feed, viewer.did, times=len(call.interactions), now=received_at)
