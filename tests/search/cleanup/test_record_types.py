"""The types of a record, as docs/cleanup.md has them."""

from __future__ import annotations

from typing import Any

import pytest

from search.cleanup.planning.record_links import NoHost, host_of, hosts_of_links, is_within
from search.cleanup.planning.record_types import LIKE, POST, REPOST, NotUnderstood, RecordType, UnknownEmbed, types_of
from tests.search.cleanup.repo import OTHER, ref, reply_to, uri

GIFS = frozenset({"tenor.com"})
EMBED = "app.bsky.embed."
IMAGES = {"$type": f"{EMBED}images", "images": [{"alt": "", "image": {}}]}
GALLERY = {"$type": f"{EMBED}gallery", "items": [{"alt": "", "image": {}}]}
VIDEO = {"$type": f"{EMBED}video", "video": {"$type": "blob"}}
QUOTE = {"$type": f"{EMBED}record", "record": ref(uri("q", did=OTHER))}
SHOWN_LIST = {"$type": f"{EMBED}record", "record": ref(uri("l", did=OTHER, collection="app.bsky.graph.list"))}


def card(url: object) -> dict[str, Any]:
    return {"$type": f"{EMBED}external", "external": {"uri": url, "title": "", "description": ""}}


def both(quoted: object, media: object) -> dict[str, Any]:
    return {"$type": f"{EMBED}recordWithMedia", "record": quoted, "media": media}


GIF, LINK = card("https://media.tenor.com/x.gif?hh=1"), card("https://example.com/tenor.com")


@pytest.mark.parametrize(
    ("fields", "types"),
    [
        ({}, "post"),
        ({"embed": IMAGES}, "post_with_media"),
        ({"embed": GALLERY}, "post_with_media"),
        ({"embed": VIDEO}, "post_with_media"),
        ({"embed": GIF}, "post_with_media"),
        ({"embed": LINK}, "post"),
        ({"embed": card("https://nottenor.com/x.gif")}, "post"),
        ({"embed": QUOTE}, "quote"),
        ({"embed": SHOWN_LIST}, "post"),
        ({"embed": both(QUOTE, IMAGES)}, "post_with_media quote"),
        ({"embed": both(QUOTE, VIDEO)}, "post_with_media quote"),
        ({"embed": both(QUOTE, GIF)}, "post_with_media quote"),
        ({"embed": both(QUOTE, LINK)}, "quote"),
        ({"embed": both(SHOWN_LIST, IMAGES)}, "post_with_media"),
        ({"embed": both(SHOWN_LIST, LINK)}, "post"),
        (reply_to(uri("p", did=OTHER)), "reply"),
        ({**reply_to(uri("p")), "embed": LINK}, "reply"),
        ({**reply_to(uri("p")), "embed": IMAGES}, "post_with_media reply"),
        ({**reply_to(uri("p")), "embed": QUOTE}, "quote reply"),
        ({**reply_to(uri("p")), "embed": both(QUOTE, IMAGES)}, "post_with_media quote reply"),
    ],
)
def test_the_types_of_a_post_follow_from_its_reply_and_its_embed(fields: dict[str, Any], types: str) -> None:
    found = types_of(POST, {"$type": POST, "text": "", **fields}, GIFS)
    assert found == {RecordType(name) for name in types.split()}


@pytest.mark.parametrize("collection", [LIKE, REPOST])
def test_likes_and_reposts_have_one_type(collection: str) -> None:
    found = types_of(collection, {"$type": collection, "subject": ref(uri("p", did=OTHER))}, GIFS)
    assert found == {RecordType(collection.rpartition(".")[2])}


@pytest.mark.parametrize(
    "embed",
    [
        None,
        "images",
        {},
        {"$type": ["app.bsky.embed.images"]},
        {"$type": f"{EMBED}poll", "images": [{}]},
        {**IMAGES, "images": []},
        {**IMAGES, "images": {"0": {}}},
        {**GALLERY, "items": None},
        {**VIDEO, "video": []},
        {"$type": f"{EMBED}external", "external": "https://example.com"},
        card(7),
        card(""),
        card("https://[::1"),
        both(None, IMAGES),
        both(QUOTE, None),
        both(QUOTE, QUOTE),
    ],
)
def test_an_embed_that_is_not_known_is_never_guessed(embed: object) -> None:
    with pytest.raises(UnknownEmbed):
        types_of(POST, {"$type": POST, "text": "", "embed": embed}, GIFS)


@pytest.mark.parametrize(
    ("collection", "value"),
    [
        (POST, None),
        (POST, {"text": ""}),
        (POST, {"$type": LIKE, "text": ""}),
        (POST, {"$type": POST}),
        (POST, {"$type": POST, "text": b"bytes"}),
        (POST, {"$type": POST, "text": "", "reply": None}),
        (POST, {"$type": POST, "text": "", "reply": {"parent": ref(uri("p"))}}),
        (POST, {"$type": POST, "text": "", "reply": {"root": ref(uri("p")), "parent": {"uri": "at://x"}}}),
        (POST, {"$type": POST, "text": "", "embed": {**QUOTE, "record": ref("at://did:plc:x/y")}}),
        (LIKE, {"$type": LIKE}),
        (LIKE, {"$type": LIKE, "subject": {"uri": 1}}),
        (REPOST, {"$type": REPOST, "subject": ref(f"at://{OTHER}")}),
        ("app.bsky.graph.follow", {"$type": "app.bsky.graph.follow", "subject": OTHER}),
    ],
)
def test_a_record_of_another_form_has_no_types(collection: str, value: object) -> None:
    with pytest.raises(NotUnderstood):
        types_of(collection, value, GIFS)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.COM./path", "example.com"),
        ("example.com/path", "example.com"),
        ("example.com:80/path", "example.com"),
        ("https:\\\\example.com\\path", "example.com"),
        ("https://user:word@example.com:8080", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("mailto:mira@example.com", "example.com"),
    ],
)
def test_the_host_of_a_link_has_one_spelling(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", [None, 7, "", "https://", "https://[::1", "https://a b/", "https://" + "a." * 200])
def test_a_link_without_a_readable_host_has_none(url: object) -> None:
    with pytest.raises(NoHost):
        host_of(url)


@pytest.mark.parametrize(
    ("host", "within"),
    [("example.com", True), ("a.b.example.com", True), ("badexample.com", False), ("com", False), ("", False)],
)
def test_a_domain_has_its_subdomains(host: str, within: bool) -> None:
    assert is_within(host, {"example.com"}) is within


def test_links_are_in_facets_entities_and_cards() -> None:
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://facet.example/"}
    mention = {"$type": "app.bsky.richtext.facet#mention", "did": OTHER}
    value = {
        "facets": [{"index": {}, "features": [mention, link]}],
        "entities": [{"type": "link", "value": "https://entity.example"}, {"type": "mention", "value": OTHER}],
        "embed": card("https://card.example"),
    }
    assert hosts_of_links(value) == {"facet.example", "entity.example", "card.example"}
    assert hosts_of_links({"embed": both(QUOTE, LINK)}) == {"example.com"}
