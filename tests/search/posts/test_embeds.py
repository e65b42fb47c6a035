"""Cards and alternative texts of records, which anyone writes as they like."""

from __future__ import annotations

import json
from typing import Any

import pytest

from search.posts.embeds import ALT_MAX, Card, Embeds, card_of_address, embeds_of


def embeds(embed: Any) -> Embeds:
    return embeds_of(json.dumps({"embed": embed}))


def test_a_card_a_gallery_and_a_video_are_read_also_beside_a_quote() -> None:
    card = {"uri": "https://www.example.com/a?b=1", "title": " Herons \n here", "description": "By the canal"}
    read = Card("https://www.example.com/a?b=1", "example.com", "Herons here", "By the canal")
    assert embeds({"external": card}) == Embeds(read)
    assert embeds({"record": {}, "media": {"external": card}}) == Embeds(read)
    assert embeds({"images": [{"alt": "a heron"}, {"alt": ""}, {"alt": "a cup"}]}) == Embeds(None, ("a heron", "a cup"))
    assert embeds({"media": {"items": [{"alt": "a bridge"}]}}) == Embeds(None, ("a bridge",))
    assert embeds({"video": {}, "alt": "a heron flies"}) == Embeds(None, ("a heron flies",))


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "data:text/html,x", "//example.com", "https://", "http://[", "ftp://a.b", "a" * 3000]
)
def test_only_web_addresses_become_cards(uri: str) -> None:
    assert embeds({"external": {"uri": uri, "title": "click"}}) == Embeds()
    assert card_of_address(uri) is None


@pytest.mark.parametrize(
    "embed", [None, 1, "x", [], {"images": 1}, {"images": [1, None, {"alt": 2}]}, {"external": []}]
)
def test_fields_of_another_type_are_as_if_they_were_not_there(embed: Any) -> None:
    assert embeds(embed) == Embeds()


def test_a_record_that_is_none_has_nothing() -> None:
    assert [embeds_of(text) for text in ("", "null", "[1]", "{", "[" * 100_000)] == [Embeds()] * 5


def test_long_texts_are_cut_and_half_a_character_is_replaced() -> None:
    (alt,) = embeds({"images": [{"alt": "w" * (ALT_MAX + 1)}]}).alts
    assert alt == "w" * ALT_MAX + "…"
    assert embeds({"images": [{"alt": "\ud800"}]}).alts == ("?",)
