"""The site's feeds that everyone can read, which the app `feeds` knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from atsite.core.extension_point import ExtensionPoint


@dataclass(frozen=True, slots=True)
class PublicFeed:
    """A feed. `url`: it in the app; empty as long as it is not known to be published."""

    name: str
    description: str
    url: str


#: Functions that list public feeds, and never a private one. They raise DatabaseError.
FEEDS: Final = ExtensionPoint[Callable[[], Sequence[PublicFeed]]]("public feeds")


def public_feeds() -> list[PublicFeed]:
    """All of them, in the order of the site. Raises DatabaseError."""
    return [feed for provider in FEEDS.providers() for feed in provider()]
