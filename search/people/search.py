"""Search of people: a page of accounts whose handle or display name is asked for.

First those that the viewer follows and that follow back, then those that the viewer follows, then the others; among
them the most followed first. Where fewer than FEW begin as is asked, those that are one edit apart come after them.
Left out: accounts that are not active, deleted or not indexed, blocked by the site or blocked either way, and for
callers without a viewer those that ask not to be shown to them.

The candidates of a search are few (search.people.queries): what they have now is read when they are shown, so an answer
never shows a handle or a name that was given up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from search.people import queries, walks
from search.people.asked import Closeness
from search.people.persons import blocked_either_way, following, persons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from atsite.core.atproto.syntax import Did
    from labels.blocks import Blocks
    from search.people.asked import Asked
    from search.people.persons import Person

#: Only where fewer begin as is asked, others are looked for.
FEW: Final = 25
#: Candidates read at once: a page and those of it that may not be shown. Later reads are larger.
FIRST_READ, NEXT_READ = 32, 250


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` people; `total` is how many there are, if the page has all of them."""

    people: tuple[Person, ...]
    cursor: str | None = None
    total: int | None = None


@dataclass
class Search:
    """One search, by `viewer` (None: a caller who is nobody)."""

    asked: Asked
    viewer: Did | None
    blocks: Blocks
    seen: set[Did] = field(default_factory=set)

    def page(self, limit: int, *, walk: bool) -> Page:
        """The first page; with `walk` it has a cursor if there is more. Raises ClickHouseError."""
        if self.asked.is_empty:
            return Page(())
        wanted = max(limit + 1, FEW)
        least = Closeness.BEGINS
        rest, found = self._stage(wanted, exact=True)
        if len(found) < FEW and self.asked.misspelt:
            least = Closeness.ONE_EDIT
            rest, more = self._stage(wanted - len(found), exact=False)
            found += more
        total = None if rest or len(found) > limit else len(found)
        shown, ahead = found[:limit], [*(person.did for person in found[limit:]), *rest]
        cursor = walks.begin(self.asked, self.viewer, ahead, least) if walk and ahead else None
        return Page(tuple(shown), cursor, total)

    def next_page(self, limit: int, cursor: str) -> Page:
        """The page after `cursor`; empty if the walk has ended. Raises InvalidCursor, ClickHouseError."""
        walk, position = walks.resume(self.asked, self.viewer, cursor)
        found: list[Person] = []
        while position < len(walk.dids) and len(found) < limit:
            part = walk.dids[position : position + (limit - len(found))]
            position += len(part)
            found += self._shown(part, walk.least)
        return Page(tuple(found), walk.cursor(position) if position < len(walk.dids) else None)

    def _stage(self, wanted: int, *, exact: bool) -> tuple[list[Did], list[Person]]:
        """At least `wanted` people, if there are so many, and the candidates that were not looked at."""
        least = Closeness.BEGINS if exact else Closeness.ONE_EDIT
        found = self._followed(exact=exact)
        candidates = queries.candidates(self.asked) if exact else queries.near_candidates(self.asked)
        fresh = [did for did in candidates if did not in self.seen]
        size = FIRST_READ
        while fresh and len(found) < wanted:
            part, fresh, size = fresh[:size], fresh[size:], NEXT_READ
            found += self._shown(part, least)
        return fresh, found

    def _followed(self, *, exact: bool) -> list[Person]:
        if self.viewer is None:
            return []
        dids = [did for did in queries.followed(self.asked, self.viewer, exact=exact) if did not in self.seen]
        found = list(self._shown(dids, Closeness.BEGINS if exact else Closeness.ONE_EDIT))
        mutual = following(self.viewer, [person.did for person in found])
        return sorted(found, key=lambda person: (person.did not in mutual, -person.followers, person.did))

    def _shown(self, dids: Sequence[Did], least: Closeness) -> Iterator[Person]:
        """Those of `dids` that may be shown and answer at least so well, in order."""
        known = persons(dids)
        fitting = [known[did] for did in dids if did in known and self._fits(known[did], least)]
        blocked = blocked_either_way(self.viewer, [person.did for person in fitting]) if self.viewer else set()
        for person in fitting:
            if person.did not in blocked:
                self.seen.add(person.did)
                yield person

    def _fits(self, person: Person, least: Closeness) -> bool:
        if not person.active or person.did in self.blocks.dids or (person.hidden and self.viewer is None):
            return False
        return self.asked.closeness(person.words, person.handle) >= least
