"""/redir: an at-uri leads to bsky.app and to no other host, and an address gives its at-uri."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.search.cleanup.ruled_server import silence

if TYPE_CHECKING:
    import httpx

    from tests.search.cleanup.pds_server import Account, PdsServer
    from tests.search.service import Service

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
APP = "https://bsky.app"


def redir(service: Service, q: str) -> httpx.Response:
    return service.client.get("/redir", params={"q": q}, follow_redirects=False)


@pytest.mark.parametrize(
    ("q", "path"),
    [
        (f"at://{DID}/app.bsky.feed.post/3k", f"/profile/{DID}/post/3k"),
        (f"at://{DID}/app.bsky.feed.generator/whats-hot", f"/profile/{DID}/feed/whats-hot"),
        (f"at://{DID}/app.bsky.graph.list/3k", f"/profile/{DID}/lists/3k"),
        (f"at://{DID}/app.bsky.graph.starterpack/3k", f"/starter-pack/{DID}/3k"),
        (f"at://{DID}/app.bsky.actor.profile/self", f"/profile/{DID}"),
        (f"at://{DID}/app.bsky.labeler.service/self", f"/profile/{DID}"),
        ("at://Alice.Example.com/app.bsky.feed.post/3k", "/profile/alice.example.com/post/3k"),
        (f"at://{DID}", f"/profile/{DID}"),
        (f"at://{DID}/", f"/profile/{DID}"),
        (DID, f"/profile/{DID}"),
        (" @alice.example.com\u200b", "/profile/alice.example.com"),
        ("at://did:web:localhost%3A3000/app.bsky.feed.post/a:b~c", "/profile/did:web:localhost%253A3000/post/a:b~c"),
    ],
)
def test_an_at_uri_leads_to_its_page(service: Service, pds: PdsServer, q: str, path: str) -> None:
    response = redir(service, q)
    assert (response.status_code, response.headers["location"]) == (302, f"{APP}{path}")
    assert pds.calls == []


@pytest.mark.parametrize(
    ("path", "of"),
    [
        ("/profile/mira.test/post/3k", "/app.bsky.feed.post/3k"),
        ("/profile/mira.test/post/3k/liked-by?ref=1", "/app.bsky.feed.post/3k"),
        ("/profile/mira.test/feed/whats-hot", "/app.bsky.feed.generator/whats-hot"),
        ("/profile/mira.test/lists/3k", "/app.bsky.graph.list/3k"),
        ("/starter-pack/mira.test/3k", "/app.bsky.graph.starterpack/3k"),
        ("/profile/mira.test", ""),
        ("/profile/mira.test/", ""),
    ],
)
def test_an_address_gives_its_at_uri_with_the_did_of_its_handle(
    service: Service, mira: Account, path: str, of: str
) -> None:
    for start in (APP, "bsky.app", "https://main.bsky.dev"):
        response = redir(service, f"{start}{path}")
        assert (response.status_code, response.json()) == (200, {"uri": f"at://{mira.did}{of}"})


def test_an_address_by_did_asks_nobody(service: Service, pds: PdsServer) -> None:
    assert redir(service, f"{APP}/profile/{DID}/post/3k").json() == {"uri": f"at://{DID}/app.bsky.feed.post/3k"}
    assert pds.calls == []


@pytest.mark.parametrize(
    "q",
    [
        "",
        "alice",
        "https://evil.example/",
        "//evil.example/profile",
        "javascript:alert(1)",
        "https://bsky.app/",
        "https://bsky.app/search?q=x",
        f"{APP}/profile/alice.example.com/followers",
        f"{APP}/profile/alice.example.com/post/",
        f"{APP}/starter-pack/alice.example.com",
        f"{APP}/profile/a b/post/3k",
        "https://[",
        "ftp://bsky.app/profile/alice.example.com",
        "at://",
        "at://me/app.bsky.feed.post/3k",
        "at://evil.example:80/app.bsky.feed.post/3k",
        f"at://{DID}/app.bsky.feed.post",
        f"at://{DID}/app.bsky.feed.post/..",
        f"at://{DID}/app.bsky.feed.post/3k/more",
        f"at://{DID}/app.bsky.feed.post/3k%0d%0aSet-Cookie:x",
        f"at://{DID}/app.bsky.feed.like/3k",
        f"at://{DID}/app.bsky.actor.profile/other",
        "at://handle.invalid/app.bsky.feed.post/3k",
        f"{APP}/profile/handle.invalid",
        "x" * 2_001,
        f"at://did:example:{'%41' * 600}",
    ],
)
def test_anything_else_is_refused_with_a_sentence(service: Service, pds: PdsServer, q: str) -> None:
    status, name, message = service.refused("/redir", q=q)
    assert (status, name, len(message) > 10) == (400, "InvalidRequest", True)
    assert pds.calls == []


def test_a_handle_that_no_account_has_is_not_found(service: Service, pds: PdsServer) -> None:
    assert service.refused("/redir", q=f"{APP}/profile/nobody.test")[:2] == (404, "AccountNotFound")


def test_a_network_that_does_not_answer_is_said(service: Service, mira: Account, pds: PdsServer) -> None:
    pds.fail("resolveHandle", silence(), times=None)
    assert service.refused("/redir", q=f"{APP}/profile/mira.test/post/3k")[:2] == (502, "UpstreamFailure")
