"""The feed generator's HTTP: did.json and the XRPC methods that the AppView calls (docs: architecture.md)."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Query, Router

import atsite
from apikeys.auth import bearer_key, check_from
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from atsite.core.web.auth import Unverifiable, client_address, service_auth
from atsite.core.web.documented import example, failures
from atsite.core.web.probe import is_probe
from atsite.core.web.xrpc import error_response
from feeds.ranking.feed import FeedUnavailable, InvalidDefinition, UnknownFeed
from feeds.serving import reading
from feeds.serving.reading import Reader
from feeds.serving.registry import registry
from feeds.serving.schemas import FeedAddress, GeneratorDescription, Skeleton, SkeletonQuery
from feeds.serving.skeleton import Question, depends_on_viewer

xrpc = Router(tags=["xrpc"])
well_known = Router(tags=["well-known"])

#: An account and a feed for the examples of /docs.
PUBLISHER: Final = config.feed_actor_did or "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
FEED: Final = f"at://{PUBLISHER}/app.bsky.feed.generator/whats-hot"
READ: Final = ["GET", "HEAD"]
SKELETON: Final = "app.bsky.feed.getFeedSkeleton"
#: Resolvers have caches of their own; this limits the wait for all others after an operator moves the service.
DID_DOCUMENT_CACHE: Final = "public, max-age=300"


@well_known.api_operation(
    READ,
    "/did.json",
    url_name="did",
    response={200: dict[str, Any], **failures(404)},
    summary="DID document of this service",
    openapi_extra=example(
        {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": "did:web:feeds.example.com",
            "service": [
                {
                    "id": "#bsky_fg",
                    "type": "BskyFeedGenerator",
                    "serviceEndpoint": "https://feeds.example.com",
                }
            ],
        }
    ),
)
def did_document(request: HttpRequest) -> HttpResponse:
    """The did document of the service (https://w3c-ccg.github.io/did-method-web/), if its did is a did:web."""
    if not config.service_did.startswith("did:web:"):
        raise Http404
    document = {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": config.service_did,
        "service": [
            {"id": "#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": config.service_endpoint},
        ],
    }
    return JsonResponse(document, headers={"Cache-Control": DID_DOCUMENT_CACHE})


@xrpc.api_operation(
    READ,
    "/app.bsky.feed.describeFeedGenerator",
    response={200: GeneratorDescription, **failures(500, 503)},
    openapi_extra=example({"did": "did:web:feeds.example.com", "feeds": [{"uri": FEED}]}),
)
def describe_feed_generator(request: HttpRequest) -> GeneratorDescription:
    """The feeds of this generator."""
    feeds = [FeedAddress(uri=str(feed.describe().uri)) for feed in registry()]
    return GeneratorDescription(did=config.service_did, feeds=feeds)


@xrpc.api_operation(
    READ,
    f"/{SKELETON}",
    response={200: Skeleton, **failures(400, 401, 429, 500, 502, 503)},
    openapi_extra=example(
        {"feed": [{"post": f"at://{PUBLISHER}/app.bsky.feed.post/3l6oveex3ii2l"}], "cursor": "g.17.1"},
        token=True,
        feed=FEED,
        limit=5,
    ),
)
async def get_feed_skeleton(request: HttpRequest, query: Query[SkeletonQuery]) -> HttpResponse:
    """A page of a feed. Without a token, or with an API key, the reader is someone who is not logged in.

    400 `UnknownFeed`: this generator has no such feed.
    """
    reader = await reader_of(request, query.feed)
    answer = await reading.page(Question(query.feed, query.limit, query.cursor), reader)
    headers = {"Cache-Control": reading.cache_of(answer), "Vary": "Authorization"}
    return HttpResponse(answer.body, content_type="application/json", headers=headers)


async def reader_of(request: HttpRequest, feed: str) -> Reader:
    """The reader of `feed`; not logged in if the token cannot be verified now and the feed is the same for all.

    A program with a good API key reads as someone not logged in. Raises BadToken; Unverifiable if the feed depends on
    the reader; what apikeys.check.check raises; InvalidSyntax, UnknownFeed.
    """

    async def is_personal() -> bool:
        return await asyncio.to_thread(lambda: depends_on_viewer(registry(), feed))

    if is_probe(request):
        return Reader(counts=False)
    authorization = request.headers.get("Authorization", "")
    if (key := bearer_key(authorization)) is not None:
        await asyncio.to_thread(check_from, key, client_address(request))
        return Reader()
    try:
        viewer = await service_auth().authenticate(authorization, SKELETON, time.time(), insist=is_personal)
    except Unverifiable:
        if await is_personal():
            raise
        return Reader(counts=False)
    return Reader(None if viewer is None else viewer.did)


@xrpc.api_operation(READ, "/_health", response=dict[str, str], openapi_extra=example({"version": atsite.__version__}))
def health(request: HttpRequest) -> dict[str, str]:
    """Answers if the process is up."""
    return {"version": atsite.__version__}


def install_feed_errors(api: NinjaAPI) -> None:
    """Install the XRPC answers for errors of feeds; for those of all services see atsite.core.web.xrpc."""

    def unknown_feed(request: HttpRequest, error: Any) -> HttpResponse:
        return error_response("UnknownFeed", str(error), 400)

    def invalid_syntax(request: HttpRequest, error: Any) -> HttpResponse:
        return error_response("InvalidRequest", "feed: expected the at-uri of a feed generator", 400)

    def unavailable(request: HttpRequest, error: Any) -> HttpResponse:
        return error_response("NotEnoughResources", str(error), 503)

    def invalid_definition(request: HttpRequest, error: Any) -> HttpResponse:
        return error_response("InternalServerError", "the feeds of this generator are not set up", 500)

    api.add_exception_handler(UnknownFeed, unknown_feed)
    api.add_exception_handler(InvalidSyntax, invalid_syntax)
    api.add_exception_handler(FeedUnavailable, unavailable)
    api.add_exception_handler(InvalidDefinition, invalid_definition)
