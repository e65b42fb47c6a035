"""Names that people give to feeds, labels and keys can be seen."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from apikeys import keys
from apikeys.models import add_key
from atsite.core.copies.visible_text import is_visible
from feeds.models import FeedDefinition
from labels.models import Label

INVISIBLE = [
    *("\u200b", "\u200b\u200d\ufeff", "\u202e\u2066", "\u00ad", "\u3164"),
    *("\u2800", "\u034f\ufe0f", "\u180e", "\u00a0\u2003"),
]


@pytest.mark.parametrize("text", INVISIBLE)
def test_text_of_invisible_characters_alone_is_not_seen(text: str) -> None:
    assert not is_visible(text)
    assert is_visible(f"{text}a")


@pytest.mark.parametrize("text", ["Feeds", "猫", "\U0001f431", "\u200fשלום", "-", "e\u0301"])
def test_other_text_is_seen(text: str) -> None:
    assert is_visible(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["\u200b\u200d", "\u202e"])
def test_no_feed_label_or_key_gets_a_name_that_cannot_be_seen(text: str) -> None:
    said = ["Enter text that can be seen: it has only invisible characters."]

    def refused(field: str, make: object) -> None:
        with pytest.raises(ValidationError) as error:
            make()  # type: ignore[operator]
        assert error.value.message_dict == {field: said}

    refused("display_name", FeedDefinition(rkey="mine", kind="top", display_name=text).full_clean)
    refused("meaning", Label(name="mine", meaning=text).full_clean)
    refused("note", lambda: add_key(keys.mint(), scopes=["stats"], note=text))
