"""Hosts and lengths of the services that speak to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase


def plain(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse("äö")


def streamed(request: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(iter([b"a", b"b"]))


urlpatterns = [path("plain", plain), path("streamed", streamed)]

handler400 = "atsite.core.web.handler.bad_request"

#: What the caller sent is not repeated.
WRONG_HOST = {
    "error": "InvalidRequest",
    "message": "the Host header is not one of ALLOWED_HOSTS, the host names of this service",
}

service = override_settings(
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["atsite.core.web.xrpc.ErrorBodies", "atsite.core.web.framing.Framing"],
    ALLOWED_HOSTS=["feeds.example.com"],
)


@service
def test_an_answer_says_its_length_where_it_is_known() -> None:
    client = Client(headers={"host": "feeds.example.com"})
    assert client.get("/plain")["Content-Length"] == "4"
    assert "Content-Length" not in client.get("/streamed")


@service
@pytest.mark.parametrize("host", ["evil.example.com", "feeds.example.com/x"])
def test_a_host_that_is_not_ours_gets_an_error_of_the_protocol(host: str) -> None:
    response = Client(headers={"host": host}).get("/plain")
    assert (response.status_code, response.json()) == (400, WRONG_HOST)


@service
async def test_the_same_holds_without_threads() -> None:
    bad = await AsyncClient().get("/plain")  # of the host "testserver": a header would be a second one
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        good = await AsyncClient().get("/plain")
    assert (good.status_code, good["Content-Length"]) == (200, "4")
    assert (bad.status_code, bad.json()) == (400, WRONG_HOST)
