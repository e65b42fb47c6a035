"""Who calls, and what the caller may do. Checked in one place: `require`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from atsite.xrpc import XrpcError


class Scope(StrEnum):
    """What a key opens; each operation names one."""

    SEARCH = "search"
    STATS = "stats"
    CLEANUP = "cleanup"
    #: To change and list the members of the feeds that the key covers.
    LABELS = "labels"


SCOPES: Final = {
    Scope.SEARCH: "search posts",
    Scope.STATS: "read statistics of feeds and keys",
    Scope.CLEANUP: "plan and start clean-ups",
    Scope.LABELS: "change and list members of the feeds it covers",
}


class Kind(StrEnum):
    """How the caller proved who it is."""

    KEY = "key"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller that was recognised. `subject` is the id of a key, or the did of a viewer."""

    kind: Kind
    subject: str
    scopes: frozenset[Scope] = frozenset()
    #: Record keys of the feeds that it may change.
    feeds: frozenset[str] = frozenset()


def require(principal: Principal, scope: Scope, *, feed: str | None = None) -> None:
    """Return when `principal` has `scope`, and covers `feed` where one is meant. Raises XrpcError Forbidden."""
    if scope not in principal.scopes:
        raise XrpcError("Forbidden", f"this {principal.kind} lacks the scope {scope}: {SCOPES[scope]}")
    if feed is not None and feed not in principal.feeds:
        raise XrpcError("Forbidden", f"this {principal.kind} does not cover that feed")
