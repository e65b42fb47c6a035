"""Parses profiles from an AppView or a PDS, as untrusted input. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.syntax import INVALID_HANDLE, is_handle

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.atproto.syntax import Did

#: The lexicon's limit is 64 graphemes and 640 bytes; longer names are cut, not refused.
NAME_MAX: Final = 640
_COUNT_MAX: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of an actor."""

    followers: int
    follows: int
    posts: int


@dataclass(frozen=True, slots=True)
class Profile:
    """An actor's profile from a source; both names may be empty, and not every source knows counts."""

    did: Did
    handle: str
    display_name: str
    counts: Counts | None = None


def profiles_of(answer: Any, asked: Collection[Did]) -> dict[Did, Profile]:
    """The profiles in an answer of app.bsky.actor.getProfiles, of the requested dids; invalid ones are left out."""
    told = answer.get("profiles") if isinstance(answer, dict) else None
    found = (_profile(item) for item in (told if isinstance(told, list) else ()) if isinstance(item, dict))
    return {profile.did: profile for profile in found if profile.did in asked}


def _profile(item: dict[str, Any]) -> Profile:
    counts = Counts(_count(item, "followersCount"), _count(item, "followsCount"), _count(item, "postsCount"))
    did: Any = item.get("did")
    return Profile(did, handle_of(item.get("handle")), name_of(item.get("displayName")), counts)


def handle_of(value: object) -> str:
    """A handle in lower case; empty if it is invalid or could not be verified."""
    handle = value.lower() if isinstance(value, str) and is_handle(value) else ""
    return "" if handle == INVALID_HANDLE else handle


def name_of(value: object) -> str:
    """A display name as valid text; empty if it is not a text."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()[:NAME_MAX]


def _count(item: dict[str, Any], name: str) -> int:
    value = item.get(name)
    return value if type(value) is int and 0 <= value <= _COUNT_MAX else 0
