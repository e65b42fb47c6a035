"""What feeds and search leave out, held in each process and at most a second old."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did, is_did
from atsite.core.published.process_copies import LocalCopy
from indexer.index.models import RefusedActor
from labels.models import Block

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Blocks:
    """Actors, and single records by at-uri."""

    dids: frozenset[Did] = frozenset()
    uris: frozenset[str] = frozenset()

    def __contains__(self, uri: object) -> bool:
        """Whether the record of this at-uri is left out, itself or with its author."""
        return isinstance(uri, str) and (uri in self.uris or uri[len("at://") :].partition("/")[0] in self.dids)


def blocked(feed: str = "") -> Blocks:
    """What the feed with this rkey leaves out; without one (search) what everybody leaves out.

    Raises Undecidable when `default` is away and was never read by this process.
    """
    blocks = _copy.get()
    return blocks.get(feed, blocks[""])


def invalidate() -> None:
    """Read the blocks again with the next question of this process: for the one who changed them."""
    _copy.drop()


def _load() -> Mapping[str, Blocks]:
    """Feed rkey -> its blocks with those of everywhere, which stand under "".

    Who is not to be indexed is blocked everywhere: a list may name a post that the index no longer knows.
    """
    subjects: defaultdict[str, set[str]] = defaultdict(set)
    for feed, subject in Block.objects.values_list("feed", "subject"):
        subjects[feed].add(subject)
    everywhere = subjects[""]
    everywhere.update(RefusedActor.objects.values_list("did", flat=True))
    return {feed: _blocks(own | everywhere) for feed, own in subjects.items()}


def _blocks(subjects: set[str]) -> Blocks:
    dids = frozenset(subject for subject in subjects if is_did(subject))
    return Blocks(dids, frozenset(subjects - dids))


_copy = LocalCopy("blocks", _load)
