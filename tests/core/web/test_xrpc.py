"""Every way to say no has a body of the protocol's shape, and tells nothing that is not for the reader."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from tests.xrpc_urls import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    """The operations of tests.xrpc_urls, over HTTP."""
    with (
        override_settings(
            ROOT_URLCONF="tests.xrpc_urls", MIDDLEWARE=["atsite.core.web.xrpc.ErrorBodies"], ALLOWED_HOSTS=["*"]
        ),
        make_server("127.0.0.1", 0, WSGIHandler(), handler_class=_Quiet) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False, timeout=30) as client,
    ):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield client
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("lexicon", 400, {"error": "UnknownFeed", "message": "there is no such feed"}),
        ("fixed", 429, {"error": "RateLimitExceeded", "message": "slower"}),
        ("given", 418, {"error": "Odd", "message": "teapot"}),
        ("cursor", 400, {"error": "InvalidRequest", "message": "cursor: it is of another list"}),
        ("authentication", 401, {"error": "AuthenticationRequired", "message": "who are you"}),
        ("authorization", 403, {"error": "Forbidden", "message": "not you"}),
        ("http", 413, {"error": "PayloadTooLarge", "message": "too much"}),
        ("gone", 404, {"error": "XRPCNotSupported", "message": "there is nothing at this address"}),
        (
            "busy",
            503,
            {"error": "NotEnoughResources", "message": "the store of records cannot answer now, try again later"},
        ),
        ("slow", 504, {"error": "UpstreamTimeout", "message": "the search of the stored records took too long"}),
        ("refused", 500, {"error": "InternalServerError", "message": "something went wrong in this service"}),
        ("bug", 500, {"error": "InternalServerError", "message": "something went wrong in this service"}),
    ],
)
def test_an_error_becomes_a_status_a_name_and_a_message(
    service: httpx.Client, kind: str, status: int, body: dict[str, str]
) -> None:
    answer = service.get(f"/xrpc/test.{kind}")

    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["Content-Type"] == "application/json"


def test_a_401_names_the_scheme_that_would_help(service: httpx.Client) -> None:
    assert service.get("/xrpc/test.authentication").headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "limit: Field required"),
        ("limit=0", "limit: Input should be greater than or equal to 1"),
        ("limit=101", "limit: Input should be less than or equal to 100"),
        ("limit=1&lang=EN", "lang: expected small letters"),
        (
            "limit=ten&lang=klingon",
            "limit: Input should be a valid integer, unable to parse string as an integer;"
            " lang: String should have at most 5 characters",
        ),
    ],
)
def test_a_wrong_parameter_is_named_and_not_repeated(service: httpx.Client, query: str, message: str) -> None:
    answer = service.get(f"/xrpc/test.valid?{query}")

    assert (answer.status_code, answer.json()) == (400, {"error": "InvalidRequest", "message": message})


def test_a_right_parameter_is_answered(service: httpx.Client) -> None:
    answer = service.get("/xrpc/test.valid?limit=7")

    assert (answer.status_code, answer.json()) == (200, {"limit": 7})


def test_an_unknown_method_is_not_implemented(service: httpx.Client) -> None:
    answer = service.get("/xrpc/com.example.unknown")

    assert (answer.status_code, answer.json()) == (
        501,
        {"error": "MethodNotImplemented", "message": "this service does not implement this method"},
    )


def test_an_unknown_address_is_not_found(service: httpx.Client) -> None:
    answer = service.get("/nowhere")

    assert (answer.status_code, answer.json()) == (404, {"error": "XRPCNotSupported", "message": "Not Found"})


def test_a_wrong_http_method_says_which_is_right(service: httpx.Client) -> None:
    answer = service.post("/xrpc/test.valid?limit=7")

    assert (answer.status_code, answer.json()) == (405, {"error": "InvalidRequest", "message": "Method Not Allowed"})
    assert answer.headers["Allow"] == "GET"


def test_a_log_line_has_the_route_and_never_the_query(service: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="atsite.xrpc"):
        service.get("/xrpc/test.busy?q=private")

    lines = [record.getMessage() for record in caplog.records if record.name == "atsite.xrpc"]
    assert lines == [f"ClickHouse failed on GET xrpc/test.<kind>: test: {SECRET} (code 202)"]
