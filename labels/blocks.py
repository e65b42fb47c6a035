"""The blocks of feeds and search, cached in each process and at most a second old."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did, is_did
from atsite.core.copies.process_copies import LocalCopy
from indexer.index.models import RefusedActor
from labels.models import Block

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocked actors, and blocked records by at-uri."""

    dids: frozenset[Did] = frozenset()
    uris: frozenset[str] = frozenset()

    def __contains__(self, uri: object) -> bool:
        """Whether the record with this at-uri, or its author, is blocked."""
        return isinstance(uri, str) and (uri in self.uris or uri[len("at://") :].partition("/")[0] in self.dids)


def blocked(feed: str = "") -> Blocks:
    """The blocks of the feed with this rkey; without one (search), the blocks that apply everywhere.

    Raises Undecidable if `default` is down and was never read by this process.
    """
    blocks = _copy.get()
    return blocks.get(feed, blocks[""])


def invalidate() -> None:
    """Drop this process's copy, so that the next call reads the blocks again. Call it after changing them."""
    _copy.drop()


def _load() -> Mapping[str, Blocks]:
    """Feed rkey -> its blocks, with those that apply everywhere; "" -> those that apply everywhere.

    Actors that are not indexed are blocked everywhere: a static feed may list a post that is no longer indexed.
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
