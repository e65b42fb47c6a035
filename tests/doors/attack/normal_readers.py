"""Twenty readers as an AppView sends them: they walk a hot feed and a private one, and wait a moment at each page."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.doors.attack.connection import Connection, get

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.doors.attack.attackers import Target

READERS: Final = 20
LIMIT: Final = 30
#: How long a reader looks at a page.
LOOKING_SECONDS: Final = 0.2
#: A reader stops here, also where the feed goes on.
PAGES_MAX: Final = 10


@dataclass
class Seen:
    """What readers of one feed saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    #: The at-uris of each walk, of which every page was answered.
    walks: list[list[str]] = field(default_factory=list)

    def milliseconds(self, share: float) -> float:
        """The latency that this share of the pages did not exceed."""
        ordered = sorted(self.seconds)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


@dataclass
class NormalReaders:
    """They read until `ends` (time.monotonic), and each finishes the walk it is in."""

    target: Target
    members: Sequence[str]
    ends: float
    hot: Seen = field(default_factory=Seen)
    private: Seen = field(default_factory=Seen)
    #: How many walks each reader finished.
    finished: Counter[int] = field(default_factory=Counter)

    async def run(self) -> None:
        """Half of the readers read the hot feed, half of them the private one."""
        async with asyncio.TaskGroup() as group:
            for number in range(READERS):
                group.create_task(self._read(number))

    async def _read(self, number: int) -> None:
        feed, seen = (self.target.private, self.private) if number % 2 else (self.target.hot, self.hot)
        member = self.members[number % len(self.members)]
        connection = Connection(self.target.port)
        await asyncio.sleep(number * LOOKING_SECONDS / READERS)
        while time.monotonic() < self.ends:
            walk = await self._walk(connection, feed, seen, member)
            if walk is not None:
                seen.walks.append(walk)
                self.finished[number] += 1
        connection.close()

    async def _walk(self, connection: Connection, feed: str, seen: Seen, member: str) -> list[str] | None:
        """The posts from the first page to the last that is read; None if a page was not answered with one."""
        uris: list[str] = []
        parameters: dict[str, str | int] = {"limit": LIMIT}
        for _ in range(PAGES_MAX):
            began = time.monotonic()
            answer = await connection.ask(get(self.target.page(feed, **parameters), self.target.bearer(member)))
            seen.seconds.append(time.monotonic() - began)
            seen.statuses[answer.status] += 1
            await asyncio.sleep(LOOKING_SECONDS)
            if answer.status != 200:
                return None
            page = json.loads(answer.body)
            uris += [entry["post"] for entry in page["feed"]]
            if "cursor" not in page:
                break
            parameters["cursor"] = page["cursor"]
        return uris
