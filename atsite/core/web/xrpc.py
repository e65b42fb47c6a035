"""Error answers: every error body is `{"error": "CamelName", "message": "text"}` (atproto.com/specs/xrpc).

`install_handlers(api)` translates whatever an operation raises; `ErrorBodies` (middleware) gives the same body to what
Django or ninja answer by themselves: unknown paths, wrong methods, a host that is not ours.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.decorators import sync_and_async_middleware
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, ValidationError

from atsite.core.atproto.service_jwt import BadToken
from atsite.core.clickhouse.errors import ClickHouseError, QueryTimedOut
from atsite.core.copies.errors import Undecidable
from atsite.core.cursor_format import InvalidCursor
from atsite.core.errors import AtsiteError
from atsite.core.web.store_timeouts import StoreAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from django.http.response import HttpResponseBase
    from ninja import NinjaAPI

logger = logging.getLogger("atsite.xrpc")

#: Names that the protocol fixes, and their status; a name of one lexicon (UnknownFeed, BadQueryString, …) is a 400.
STATUS: Final[dict[str, int]] = {
    "InvalidRequest": 400,
    "AuthenticationRequired": 401,
    "Forbidden": 403,
    "XRPCNotSupported": 404,
    "PayloadTooLarge": 413,
    "RateLimitExceeded": 429,
    "InternalServerError": 500,
    "MethodNotImplemented": 501,
    "UpstreamFailure": 502,
    "NotEnoughResources": 503,
    "UpstreamTimeout": 504,
}
_NAMES: Final = {status: name for name, status in STATUS.items()}
#: Cache-Control of what a program is told by its key: no cache may keep it, those tell callers apart by Authorization.
PRIVATE: Final = "private, no-store"
#: Paths of XRPC methods, where an unknown one is 501 and not 404.
XRPC_PATH: Final = "/xrpc/"
#: The most problems that one message about wrong parameters lists.
PROBLEMS_MAX: Final = 5
#: When to try again after a 503, unless the error says otherwise.
RETRY_SECONDS: Final = "1"
#: The prefix that pydantic adds to the messages of our validators.
_VALUE_ERROR: Final = "Value error, "
_WRONG_TYPES: Final = frozenset({"string_type", "int_type"})
#: Never with the Host that was sent: anyone can write anything there.
WRONG_HOST: Final = "the Host header is not one of ALLOWED_HOSTS, the host names of this service"
#: Said instead of ninja's bare word where no authenticator found anything; the one there is takes API keys.
NO_KEY: Final = "an API key is needed: send it in the header X-API-Key"


class XrpcError(AtsiteError):
    """An error answer. `name` is the CamelName that clients compare; the message is for people.

    The status follows from the name (STATUS; 400 for names of one lexicon) unless it is given.
    """

    def __init__(
        self, name: str, message: str, status: int | None = None, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = STATUS.get(name, 400) if status is None else status
        self.headers = dict(headers or {})


def error_response(name: str, message: str, status: int) -> HttpResponse:
    """The JSON answer of an error. A 401 names the accepted scheme (RFC 9110, 11.6.1), a 503 says when to try again."""
    response = JsonResponse({"error": name, "message": message}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = RETRY_SECONDS
    return response


def install_handlers(api: NinjaAPI) -> None:
    """Make every error that an operation of `api` raises an XRPC body. Unexpected ones are logged and hidden."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        XrpcError: _xrpc_error,
        BadToken: _bad_token,
        InvalidCursor: _invalid_cursor,
        ValidationError: _validation_error,
        AuthenticationError: _authentication_error,
        AuthorizationError: _authorization_error,
        HttpError: _http_error,
        Http404: _not_found,
        # What Django raises while it reads a request, some of it only when an operation asks for the query or the body.
        SuspiciousOperation: unreadable,
        BadRequest: unreadable,
        MultiPartParserError: unreadable,
        UnreadablePostError: unreadable,
        TooManyFieldsSent: _too_many_fields,
        TooManyFilesSent: _too_many_fields,
        RequestDataTooBig: _too_large,
        PermissionDenied: _authorization_error,
        QueryTimedOut: _timed_out,
        ClickHouseError: _clickhouse_error,
        StoreAway: _store_away,
        Undecidable: _undecidable,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


@sync_and_async_middleware
def ErrorBodies(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], Any]:
    """Middleware: turns error answers that are not JSON (Django's pages, ninja's 405) into XRPC bodies.

    A page for people, which says so by an attribute `is_page`, stays as it is.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _with_body(request, await cast("Awaitable[HttpResponseBase]", get_response(request)))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _with_body(request, cast("HttpResponseBase", get_response(request)))

    return answer


def _with_body(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
        return response
    if getattr(response, "is_page", False):
        return response
    if response.status_code == 404 and request.path.startswith(XRPC_PATH):
        return error_response("MethodNotImplemented", "this service does not implement this method", 501)
    replaced = error_response(name_of(response.status_code), response.reason_phrase, response.status_code)
    if "Allow" in response:
        replaced["Allow"] = response["Allow"]
    return replaced


def name_of(status: int) -> str:
    """The error's name that goes with a status."""
    return _NAMES.get(status) or ("InvalidRequest" if status < 500 else "InternalServerError")


def _xrpc_error(request: HttpRequest, error: XrpcError) -> HttpResponse:
    response = error_response(error.name, error.message, error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _bad_token(request: HttpRequest, error: BadToken) -> HttpResponse:
    return error_response(error.name, str(error), 401)


def _invalid_cursor(request: HttpRequest, error: InvalidCursor) -> HttpResponse:
    return error_response("InvalidRequest", f"cursor: {error}", 400)


def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """`limit: Input should be less than or equal to 100`, never the value itself: it may be a megabyte or a secret."""
    problems = [f"{_place(problem['loc'])}: {_problem(problem)}" for problem in error.errors[:PROBLEMS_MAX]]
    return error_response("InvalidRequest", "; ".join(problems), 400)


def _place(steps: Sequence[object]) -> str:
    """Where a problem is, as its sender calls it: a body also has the name of the operation's argument in its way."""
    named = steps[2:] if steps[0] == "body" else steps[1:]
    return ".".join(map(str, named)) or "the body"


def _problem(problem: Mapping[str, Any]) -> str:
    # What a query string holds once is a text: only a list of texts has the wrong type (atsite.core.web.query).
    if problem["loc"][0] == "query" and problem["type"] in _WRONG_TYPES:
        return "given more than once"
    return str(problem["msg"]).removeprefix(_VALUE_ERROR)


def _authentication_error(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    message = NO_KEY if str(error) == str(AuthenticationError()) else str(error)
    return error_response("AuthenticationRequired", message, 401)


def _authorization_error(request: HttpRequest, error: AuthorizationError | PermissionDenied) -> HttpResponse:
    return error_response("Forbidden", str(error), 403)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return error_response(name_of(error.status_code), str(error), error.status_code)


def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return error_response("XRPCNotSupported", "there is nothing at this address", 404)


def unreadable(request: HttpRequest, error: Exception) -> HttpResponse:
    """Never in Django's words, which repeat what was sent."""
    wrong_host = isinstance(error, DisallowedHost)
    return error_response("InvalidRequest", WRONG_HOST if wrong_host else "the request cannot be read", 400)


def _too_many_fields(request: HttpRequest, error: Exception) -> HttpResponse:
    message = f"at most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} parameters in one call"
    return error_response("InvalidRequest", message, 400)


def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return error_response("PayloadTooLarge", "the body is larger than what is read", 413)


def _timed_out(request: HttpRequest, error: QueryTimedOut) -> HttpResponse:
    logger.warning("query timed out on %s: %s", _route(request), error)
    return error_response("UpstreamTimeout", "the search of the stored records took too long", 504)


def _clickhouse_error(request: HttpRequest, error: ClickHouseError) -> HttpResponse:
    """The store is unavailable or full: try again later (503). A statement that it can never accept is a bug: 500."""
    if not error.retryable:
        return _unexpected(request, error)
    logger.warning("ClickHouse failed on %s: %s", _route(request), error)
    return error_response("NotEnoughResources", "the store of records cannot answer now, try again later", 503)


def _store_away(request: HttpRequest, error: StoreAway) -> HttpResponse:
    """A store did not answer in time: try again later (503)."""
    logger.warning("a store failed on %s: %s", _route(request), error)
    return error_response("NotEnoughResources", "the store of records cannot answer now, try again later", 503)


def _undecidable(request: HttpRequest, error: Undecidable) -> HttpResponse:
    """Access cannot be decided now: refused, try again later (503)."""
    return error_response("NotEnoughResources", str(error), 503)


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("unexpected error on %s", _route(request), exc_info=error)
    return error_response("InternalServerError", "something went wrong in this service", 500)


def _route(request: HttpRequest) -> str:
    """The route, never the path or the query string, which contain search terms and dids."""
    match = request.resolver_match
    return f"{request.method} {match.route if match is not None else '?'}"
