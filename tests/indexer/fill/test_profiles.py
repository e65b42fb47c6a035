"""What an AppView may answer, and what is taken of it."""

from __future__ import annotations

from typing import Any

import pytest

from atsite.core.atproto.syntax import Did
from indexer.fill.profiles import NAME_MAX, Counts, Profile, profiles_of

MIRA, NOEL = Did("did:plc:mira"), Did("did:plc:noel")
GOOD = {
    "did": MIRA,
    "handle": "Mira.Example.com",
    "displayName": "Mira",
    "followersCount": 3,
    "followsCount": 2,
    "postsCount": 1,
}


def one(**changes: Any) -> Profile:
    (profile,) = profiles_of({"profiles": [GOOD | changes]}, [MIRA]).values()
    return profile


def test_a_profile_is_read_as_it_is_told() -> None:
    assert profiles_of({"profiles": [GOOD]}, [MIRA, NOEL]) == {
        MIRA: Profile(MIRA, "mira.example.com", "Mira", Counts(followers=3, follows=2, posts=1))
    }


@pytest.mark.parametrize("handle", ["handle.invalid", "no handle", "", None, 7, "x" * 300 + ".test"])
def test_a_handle_that_is_none_is_left_empty(handle: object) -> None:
    assert one(handle=handle).handle == ""


@pytest.mark.parametrize(
    ("name", "taken"),
    [(None, ""), (3, ""), ("\ud800x", "?x"), ("<b>\u202e", "<b>\u202e"), ("w" * 5_000, "w" * NAME_MAX)],
)
def test_a_display_name_is_text_that_a_store_takes(name: object, taken: str) -> None:
    assert one(displayName=name).display_name == taken


@pytest.mark.parametrize("count", [-1, 1 << 63, 1.5, "9", True, None])
def test_a_count_that_is_none_is_nought(count: object) -> None:
    assert one(followersCount=count).counts == Counts(followers=0, follows=2, posts=1)


@pytest.mark.parametrize("answer", [None, [], {}, {"profiles": None}, {"profiles": ["x", None, {}, {"did": []}]}])
def test_an_answer_without_profiles_tells_of_nobody(answer: object) -> None:
    assert profiles_of(answer, [MIRA]) == {}


def test_whoever_was_not_asked_for_is_left_out() -> None:
    assert profiles_of({"profiles": [GOOD]}, [NOEL]) == {}
