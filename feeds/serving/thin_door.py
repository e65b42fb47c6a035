"""getFeedSkeleton without Django, for the requests that clients send.

The door answers a request whose every part it knows, with the bytes that Django would send, and hands all others on:
odd spellings, API keys, tokens that are not good or whose key has to be fetched. A test sends thousands of requests to
both (docs/decisions/0092-a-thin-door.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import QueryDict
from django.http.request import split_domain_port, validate_host
from django.urls import resolve
from opentelemetry import propagate, trace
from opentelemetry.instrumentation.asgi import collect_request_attributes
from pydantic import ValidationError

from atsite.core.config import config
from atsite.core.web.asgi import respond
from atsite.core.web.auth import service_auth
from atsite.core.web.probe import HEADER as PROBE
from atsite.core.web.query import QueryParser
from feeds.serving import reading
from feeds.serving.api import SKELETON
from feeds.serving.reading import Reader
from feeds.serving.schemas import SkeletonQuery
from feeds.serving.skeleton import Question

if TYPE_CHECKING:
    from ninja import NinjaAPI

    from atsite.core.web.asgi import Application, Receive, Send

PATH: Final = f"/xrpc/{SKELETON}"
_RAW_PATH: Final = PATH.encode()
#: The longest query string that is read here, and how many are remembered.
QUERY_MAX, QUERIES = 2_048, 4_096
#: Headers that change how Django answers: the body that they announce, its form, and requests of the site itself.
_LEFT_TO_DJANGO: Final = frozenset({b"content-length", b"content-type", b"transfer-encoding", PROBE.lower().encode()})
_TRACER: Final = trace.get_tracer(__name__)


@dataclass(frozen=True)
class ThinDoor:
    """An ASGI application before `django`, which serves the same site with `api`."""

    django: Application
    api: NinjaAPI

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        asked = _asked(scope)
        if asked is None:
            await self.django(scope, receive, send)
        elif config.otel_endpoint:
            with _span(scope) as span:
                span.set_attribute("http.status_code", await _answer(scope, *asked, self.api, send))
        else:
            await _answer(scope, *asked, self.api, send)


def _asked(scope: dict[str, Any]) -> tuple[Question, Reader] | None:
    """What is asked for and by which reader; None if Django has to find out."""
    if scope["path"] != PATH or scope["method"] != "GET" or scope.get("raw_path", _RAW_PATH) != _RAW_PATH:
        return None
    authorization = host = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if authorization is not None:
                return None
            authorization = value
        elif name == b"host":
            if host is not None:
                return None
            host = value
        elif name in _LEFT_TO_DJANGO:
            return None
    if host is None or not _is_own_host(host):
        return None
    question = _question(scope["query_string"])
    if question is None:
        return None
    if authorization is None:
        return question, Reader()
    viewer = service_auth().authenticate_at_hand(authorization.decode("latin-1"), SKELETON, time.time())
    return None if viewer is None else (question, Reader(viewer.did))


@lru_cache(maxsize=64)
def _is_own_host(host: bytes) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _question(query: bytes) -> Question | None:
    return _parsed(query) if len(query) <= QUERY_MAX else None


@lru_cache(maxsize=QUERIES)
def _parsed(query: bytes) -> Question | None:
    """The parameters, read as Django and ninja read them; None if anything is wrong with them."""
    try:
        given = QueryParser().parse_querydict(QueryDict(query.decode("ascii")), [], None)  # type: ignore[arg-type]
        read = SkeletonQuery.model_validate(given)
    except (ValidationError, ValueError):
        return None
    return Question(read.feed, read.limit, read.cursor)


async def _answer(scope: dict[str, Any], question: Question, reader: Reader, api: NinjaAPI, send: Send) -> int:
    """Send the answer; its status."""
    try:
        answer = await reading.page(question, reader)
    except Exception as error:
        return await _refuse(scope, error, api, send)
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", reading.cache_of(answer).encode()),
        (b"vary", b"Authorization"),
    ]
    await respond(send, 200, headers, answer.body)
    return 200


async def _refuse(scope: dict[str, Any], error: Exception, api: NinjaAPI, send: Send) -> int:
    """The answer that the API gives to an error of the operation."""
    request = ASGIRequest(scope, BytesIO())
    request.resolver_match = resolve(PATH)
    response = api.on_exception(request, error)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    await respond(send, response.status_code, headers, response.content)
    return response.status_code


def _span(scope: dict[str, Any]) -> Any:
    """A span like that of Django's instrumentation; atsite.core.telemetry removes the query string and the address."""
    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return _TRACER.start_as_current_span(
        f"GET {PATH[1:]}",
        context=propagate.extract(carrier),
        kind=trace.SpanKind.SERVER,
        attributes={**collect_request_attributes(scope), "http.route": PATH[1:]},  # type: ignore[no-untyped-call]
    )
