"""What may be set for each kind of feed, what applies if nothing is set, and which kinds have a list of posts."""

from __future__ import annotations

import dataclasses

from feeds.kinds import KINDS
from feeds.ranking.parameters import Between, OneOf

ANY_NUMBER = (1, 1_000_000)
OFTEN = (10, 3600)
MEDIA = ("any", "with", "without")

#: Kind -> parameter -> its default, and the numbers or words that it takes.
PARAMETERS = {
    "hot": {
        "window_hours": (24, (1, 72)),
        "min_age_minutes": (5, (0, 60)),
        "min_likes": (100, ANY_NUMBER),
        "following_max": (4000, ANY_NUMBER),
        "refresh_seconds": (60, OFTEN),
        "media": ("any", MEDIA),
    },
    "label": {},
    "search": {
        "order": ("newest", ("newest", "hot", "top")),
        "hours": (24, (1, 168)),
        "media": ("any", MEDIA),
        "min_age_minutes": (0, (0, 60)),
        "min_likes": (2, ANY_NUMBER),
        "following_max": (4000, ANY_NUMBER),
        "refresh_seconds": (60, OFTEN),
    },
    "static": {
        "source": ("list", ("list", "viewer_best", "network_best")),
        "min_likes": (10, ANY_NUMBER),
        "refresh_seconds": (1800, OFTEN),
    },
    "top": {
        "hours": (24, (1, 168)),
        "min_age_minutes": (0, (0, 60)),
        "min_likes": (10, ANY_NUMBER),
        "following_max": (4000, ANY_NUMBER),
        "refresh_seconds": (60, OFTEN),
        "media": ("any", MEDIA),
    },
}


def test_the_defaults_and_limits_of_parameters() -> None:
    found = {
        name: {
            field.name: (field.default, taken)
            for field in dataclasses.fields(kind.parameters)
            if (taken := _taken(field.metadata["check"])) is not None
        }
        for name, kind in KINDS.items()
    }
    assert found == PARAMETERS


def _taken(check: object) -> tuple[object, ...] | None:
    """The numbers or words that a parameter takes; None for those of another type."""
    match check:
        case Between(low, high):
            return (low, high)
        case OneOf(words):
            return tuple(words)
    return None


def test_only_a_static_feed_has_a_list_of_posts() -> None:
    assert [name for name, kind in KINDS.items() if kind.has_list] == ["static"]
