"""What forms and commands refuse before it is stored, wherever it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ValidationError

from apikeys.models import validate_feeds, validate_scopes
from labels.models import validate_feed, validate_subject

if TYPE_CHECKING:
    from collections.abc import Callable

ALICE = "did:plc:" + "a" * 24
SUBJECT = "Enter a did, or the at-uri of a post: at://did/collection/rkey."
FEEDS = "Enter record keys of feeds, such as whats-hot."


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (validate_subject, ALICE),
        (validate_subject, f"at://{ALICE}/app.bsky.feed.post/3k"),
        (validate_feed, "whats-hot"),
        (validate_scopes, []),
        (validate_scopes, ["labels", "stats"]),
        (validate_feeds, []),
        (validate_feeds, ["whats-hot", "a-mpls"]),
    ],
)
def test_what_can_be_is_taken(check: Callable[[object], None], value: object) -> None:
    check(value)


@pytest.mark.parametrize(
    ("check", "value", "sentence"),
    [
        (validate_subject, "alice.test", SUBJECT),
        (validate_subject, "at://alice.test/app.bsky.feed.post/3k", SUBJECT),
        (validate_feed, "what is hot", "Enter the record key of a feed, such as whats-hot."),
        (validate_scopes, "labels", "Choose among "),
        (validate_scopes, ["labels", "everything"], "Choose among "),
        (validate_feeds, "whats-hot", FEEDS),
        (validate_feeds, ["whats-hot", "what is hot"], FEEDS),
        (validate_feeds, [7], FEEDS),
    ],
)
def test_what_cannot_be_is_refused(check: Callable[[object], None], value: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check(value)
    assert refused.value.messages[0].startswith(sentence)
