"""Every operation of both services that speak to programs: who may call it, and that its page asks no third host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client, override_settings

from atsite.urls import feedgen, search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ninja import NinjaAPI

APIS = {
    "feedgen": (feedgen.api,),
    "search": (search.api,),
}
#: Operations that anybody may call, and why. A path that is neither here nor behind an authenticator is a mistake.
PUBLIC = {
    "/.well-known/did.json": "how the service is found",
    "/xrpc/app.bsky.feed.describeFeedGenerator": "how its feeds are found",
    "/xrpc/app.bsky.feed.getFeedSkeleton": "the lexicon: public feeds answer without a token",
    "/xrpc/app.bsky.feed.sendInteractions": "demands a service token itself, with its own lxm",
    "/xrpc/_health": "whether the process answers",
    "/repo/cleanup": "POST signs in with an app password; GET and DELETE demand the token of the clean-up in a header",
    "/repo/cleanup/stats": "sums without names",
    **dict.fromkeys(
        (f"/repo/cleanup/{{job_id}}/{what}" for what in ("confirm", "sign-in", "backup", "undo")),
        "demands the token of the clean-up in a header (tests/search/cleanup/web/test_api.py tries others)",
    ),
}

#: They make this site ask other servers.
TOOLS = ("/redir", "/repo/{did}", "/list")


def operations(apis: tuple[NinjaAPI, ...]) -> Iterator[tuple[str, bool]]:
    """The path of each operation, and whether it has an authenticator."""
    for api in apis:
        for router in api._get_bound_routers():
            for path, view in router.path_operations.items():
                for operation in view.operations:
                    yield f"{router.prefix}{path}", bool(operation.auth_callbacks)


@pytest.mark.parametrize("service", APIS)
def test_each_operation_has_an_authenticator_or_is_public_for_a_reason(service: str) -> None:
    found = list(operations(APIS[service]))
    assert len(found) >= 3
    assert [path for path, guarded in found if not guarded and path not in PUBLIC] == []


def test_what_is_written_down_as_public_exists_and_is_public() -> None:
    public = {path for apis in APIS.values() for path, guarded in operations(apis) if not guarded}
    assert set(PUBLIC) == public


def test_searches_and_statistics_take_a_key_or_an_address_within_its_limit() -> None:
    guarded = {path for path, guarded in operations(APIS["search"]) if guarded}
    assert guarded == {
        "/xrpc/app.bsky.unspecced.searchPostsSkeleton",
        "/search/posts",
        "/xrpc/app.bsky.unspecced.searchActorsSkeleton",
        "/actors/type_ahead",
        "/stats",
        *TOOLS,
        "/stats/period",
    }


def test_the_tools_are_closed_to_callers_without_a_key() -> None:
    client = Client()
    with override_settings(ROOT_URLCONF="atsite.urls.search", MIDDLEWARE=[], ALLOWED_HOSTS=["testserver"]):
        assert {client.get(path.replace("{did}", "x")).status_code for path in TOOLS} == {401}


def test_members_and_use_of_feeds_are_behind_a_key() -> None:
    guarded = {path for path, guarded in operations(APIS["feedgen"]) if guarded}
    assert guarded >= {"/assign_user_to_feed", "/unassign_user_from_feed", "/feed_members", "/admin/feeds"}
    assert guarded >= {"/assign_label_to_user", "/unassign_label_from_user", "/label_members"}


@pytest.mark.parametrize("service", APIS)
def test_the_page_of_an_api_and_what_it_needs_come_from_the_service_itself(service: str) -> None:
    middleware = ["atsite.core.web.xrpc.ErrorBodies", "atsite.core.web.framing.Framing"]
    urls = f"atsite.urls.{service}"
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=middleware, ALLOWED_HOSTS=["testserver"]):
        client = Client()
        page = client.get("/docs")
        assert page.status_code == 200
        text = page.content.decode()
        assert re.findall(r"https?://[^\s\"']+", text) == []
        needed = re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
        assert len(needed) >= 3
        assert {client.get(address).status_code for address in needed} == {200}
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/static/ninja/redoc.standalone.js").status_code == 404
