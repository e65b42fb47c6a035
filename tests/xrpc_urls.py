"""A service with one operation for each way to say no (tests/core/web/test_xrpc.py)."""

from __future__ import annotations

from typing import NoReturn

from django.http import Http404, HttpRequest
from django.urls import URLPattern, URLResolver, path
from ninja import Field, NinjaAPI, Query, Schema
from ninja.errors import AuthenticationError, AuthorizationError, HttpError
from pydantic import field_validator

from atsite.core.clickhouse.errors import QueryTimedOut, Refused, TooManyQueries
from atsite.core.cursor_format import InvalidCursor
from atsite.core.web.xrpc import XrpcError, install_handlers

api = NinjaAPI(urls_namespace="tests-xrpc", docs_url=None, openapi_url=None)
install_handlers(api)

SECRET = "what the reader looked for"

ERRORS: dict[str, Exception] = {
    "lexicon": XrpcError("UnknownFeed", "there is no such feed"),
    "fixed": XrpcError("RateLimitExceeded", "slower"),
    "given": XrpcError("Odd", "teapot", 418),
    "cursor": InvalidCursor("it is of another list"),
    "authentication": AuthenticationError(message="who are you"),
    "authorization": AuthorizationError(message="not you"),
    "http": HttpError(413, "too much"),
    "gone": Http404(SECRET),
    "busy": TooManyQueries(SECRET, code=202, name="test"),
    "slow": QueryTimedOut(SECRET, code=159, name="test"),
    "refused": Refused(SECRET, code=62, name="test"),
    "bug": RuntimeError(SECRET),
}


class Parameters(Schema):
    limit: int = Field(ge=1, le=100)
    lang: str = Field("en", max_length=5)

    @field_validator("lang")
    @classmethod
    def _lower(cls, text: str) -> str:
        if not text.islower():
            raise ValueError("expected small letters")
        return text


@api.get("/xrpc/test.valid")
def valid(request: HttpRequest, parameters: Query[Parameters]) -> dict[str, int]:
    return {"limit": parameters.limit}


@api.get("/xrpc/test.{kind}")
def fails(request: HttpRequest, kind: str) -> NoReturn:
    raise ERRORS[kind]


urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls)]
