"""Writes to a repo, and what a PDS answers to them (lexicon com.atproto.repo.applyWrites)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from atsite.core.pds.answers import PdsError, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.pds.answers import RateLimit

_APPLY_WRITES: Final = "com.atproto.repo.applyWrites"


@dataclass(frozen=True, slots=True)
class Create:
    """A new record, in the form that JSON has; fails if there is one under its key."""

    collection: str
    rkey: str
    value: Mapping[str, Any] = field(repr=False)

    def content(self) -> dict[str, Any]:
        """The write as the PDS expects it."""
        return {
            "$type": f"{_APPLY_WRITES}#create",
            "collection": self.collection,
            "rkey": self.rkey,
            "value": dict(self.value),
        }


@dataclass(frozen=True, slots=True)
class Delete:
    """The end of a record; fails if there is none."""

    collection: str
    rkey: str

    def content(self) -> dict[str, Any]:
        """The write as the PDS expects it."""
        return {"$type": f"{_APPLY_WRITES}#delete", "collection": self.collection, "rkey": self.rkey}


Write = Create | Delete


class RepoCommit(NamedTuple):
    """A commit of a repo, by the text of its CID, and its revision."""

    cid: str
    rev: str


class WriteAnswer(NamedTuple):
    """The commit that the writes made, None from a PDS that does not say; and the account's limit, if it is told."""

    commit: RepoCommit | None
    limit: RateLimit | None


def read_commit(content: Any, what: str) -> RepoCommit:
    """The commit that an answer names. Raises PdsError, naming the answer `what`."""
    if not isinstance(content, dict):
        raise PdsError("InvalidResponse", f"{what} is not an object", 200)
    return RepoCommit(text_of(content, "cid", what), text_of(content, "rev", what))
