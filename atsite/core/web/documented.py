"""The OpenAPI document of a service: each operation with an example, its errors, and the scope that opens it.

An operation names these in `openapi_extra=example(…)`; DocumentedApi writes them where OpenAPI has them.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ninja import NinjaAPI, Schema

from atsite.core.web.auth import SCOPES, Scope
from atsite.core.web.query import QueryParser
from atsite.core.web.xrpc import NO_KEY, install_handlers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_MARK: Final = "x-atsite"
_JSON: Final = "application/json"
#: What each status means: the name in `error`, an example of `message`, and when it is answered.
ERRORS: Final[dict[int, tuple[str, str, str]]] = {
    400: (
        "InvalidRequest",
        "limit: Input should be less than or equal to 100",
        "A parameter or the body is wrong. Some methods answer a name of their own, such as UnknownFeed.",
    ),
    401: ("AuthenticationRequired", NO_KEY, "The key or the token is missing or not valid."),
    403: ("Forbidden", f"this key lacks the scope stats: {SCOPES[Scope.STATS]}", "The key is valid but not allowed."),
    404: ("XRPCNotSupported", "there is nothing at this address", "There is nothing here."),
    409: ("Conflict", "this is not possible now", "Not possible now; the name, such as PlanChanged, says why."),
    413: ("PayloadTooLarge", "the body is larger than what is read", "The body has more than 256 KB."),
    429: ("RateLimitExceeded", "more than 60 calls per minute with this API key", "Wait for Retry-After seconds."),
    500: ("InternalServerError", "something went wrong in this service", "A fault of this service."),
    502: ("UpstreamFailure", "the handle cannot be looked up now, try again later", "Another server did not answer."),
    503: ("NotEnoughResources", "the store of records cannot answer now, try again later", "Try again later."),
    504: ("UpstreamTimeout", "the search of the stored records took too long", "Ask for less, or try again later."),
}
ABOUT_ERRORS: Final = """
**Errors.** The body of every error is `{"error": "…", "message": "…"}`. `error` is a fixed name for programs, `message`
is for people. An unknown XRPC method is 501 `MethodNotImplemented`, a wrong HTTP method 405 `InvalidRequest`.
"""


class Failure(Schema):
    """`error` is for programs (InvalidRequest, UnknownFeed, Forbidden, …), `message` for people."""

    error: str
    message: str


#: The error answers of operations with an API key.
FAILURES: Final = dict.fromkeys((400, 401, 403, 429, 502, 503), Failure)


def failures(*statuses: int) -> dict[int, type[Failure]]:
    """The error answers of an operation, for its `response`."""
    return dict.fromkeys(statuses, Failure)


def example(
    answer: object,
    *,
    scopes: Collection[Scope] = (),
    anonymous: bool = False,
    token: bool = False,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    content_type: str = _JSON,
    **query: object,
) -> dict[str, Any]:
    """`openapi_extra` of an operation: a call with these parameters and this body, and its answer.

    `scopes`: any one of them opens it. `anonymous`: callers without a key are answered, too, unless the operator of the
    site decided otherwise. `token`: it takes the service token of a reader, instead of an API key.
    `content_type`: of a good answer.
    Parameters that are a part of the path are given like the others.
    """
    return {
        _MARK: {
            "answer": answer,
            "scopes": [str(scope) for scope in scopes],
            "anonymous": anonymous,
            "token": token,
            "body": body,
            "headers": dict(headers or {}),
            "content_type": content_type,
            "query": query,
        }
    }


class DocumentedApi(NinjaAPI):
    """All operations of a service that programs call: its errors are XRPC bodies, and /docs lists each with an example.

    `server`: the address of the service in the examples.
    """

    def __init__(self, *, title: str, version: str, about: str, server: str) -> None:
        super().__init__(title=title, version=version, docs_url="/docs", parser=QueryParser())
        self._about = about
        self._server = server
        install_handlers(self)

    def get_openapi_schema(self, **options: Any) -> Any:
        """The document."""
        document = super().get_openapi_schema(**options)
        opened: dict[str, list[str]] = {}
        for path, method, operation in _operations(document):
            self._complete(path, method, operation)
            for scope in operation.get("x-scopes", ()):
                opened.setdefault(scope, []).append(f"`{method.upper()} {path}`")
        schemes = document["components"].setdefault("securitySchemes", {})
        schemes["ServiceToken"] = {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The inter-service token of a reader, which the AppView sends (atproto.com/specs/xrpc).",
        }
        document["info"]["description"] = f"{self._about}\n{ABOUT_ERRORS}{_about_keys(opened)}"
        return document

    def _complete(self, path: str, method: str, operation: dict[str, Any]) -> None:
        given: dict[str, Any] = operation.pop(_MARK)
        examples = {**given["query"], **given["headers"]}
        for parameter in operation["parameters"]:
            if parameter["name"] in examples:
                parameter["example"] = examples[parameter["name"]]
        good = min((status for status in operation["responses"] if status < 300), default=200)
        success = operation["responses"].setdefault(good, {"description": "OK"})
        success.setdefault("content", {}).setdefault(given["content_type"], {})["example"] = given["answer"]
        for status, response in operation["responses"].items():
            if status in ERRORS:
                name, message, when = ERRORS[status]
                response["description"] = f"{name}. {when}"
                response["content"][_JSON]["example"] = {"error": name, "message": message}
        if given["body"] is not None:
            read = operation.setdefault("requestBody", {"content": {_JSON: {"schema": {"type": "object"}}}})
            read["required"] = True
            read["content"][_JSON]["example"] = given["body"]
        if given["token"]:
            anonymous: list[dict[str, Any]] = [] if given["body"] is not None else [{}]
            operation["security"] = [*anonymous, {"ServiceToken": []}]
        text = operation.get("description", "")
        if given["scopes"]:
            operation["x-scopes"] = given["scopes"]
            text += f"\n\nScope of the API key: {' or '.join(f'`{scope}`' for scope in given['scopes'])}."
        if given["anonymous"]:
            operation["security"] = [{}, *operation.get("security", [])]
            text += " Without a key you share one limit of calls with all callers from your address."
        curl = self._curl(path, method, given)
        operation["x-codeSamples"] = [{"lang": "Shell", "source": curl}]
        operation["description"] = f"{text}\n\n```\n{curl}\n```".strip()

    def _curl(self, path: str, method: str, given: dict[str, Any]) -> str:
        words = ["curl -s"]
        if method == "head":
            words.append("--head")
        elif method not in ("get", "post"):
            words.append(f"-X {method.upper()}")
        if given["scopes"] and not given["anonymous"]:
            words.append("-H 'X-API-Key: atsk_…'")
        if given["token"] and given["body"] is not None:
            words.append("-H 'Authorization: Bearer …'")
        if given["body"] is not None:
            words.append(f"-H 'Content-Type: {_JSON}' -d '{json.dumps(given['body'])}'")
        words += [f"-H '{name}: {value}'" for name, value in given["headers"].items()]
        asked = dict(given["query"])
        for name in re.findall(r"{(\w+)}", path):
            path = path.replace(f"{{{name}}}", str(asked.pop(name)))
        query = "&".join(f"{name}={quote(str(value), safe=':/')}" for name, value in asked.items())
        return " ".join([*words, f"'{self._server}{path}{'?' if query else ''}{query}'"])


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and details of each operation. ninja gives the methods of one operation one object and one id."""
    for path, methods in document["paths"].items():
        for method in methods:
            methods[method] = deepcopy(methods[method])
            if method == "head":
                methods[method]["operationId"] += "_head"
            yield path, method, methods[method]


def _about_keys(opened: dict[str, list[str]]) -> str:
    """Which scope opens what."""
    if not opened:
        return "\n**API keys.** No operation of this service needs one.\n"
    rows = [f"| `{scope}` | {SCOPES[Scope(scope)]} | {', '.join(opened[scope])} |" for scope in sorted(opened)]
    intro = "**API keys.** Send yours in the header `X-API-Key`, or as `Authorization: Bearer atsk_…`. Its scopes:"
    return "\n".join(["", intro, "", "| scope | allows you to | opens |", "|---|---|---|", *rows, ""])
