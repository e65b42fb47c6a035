"""Walks through the results of a search of people: the accounts that were found, kept in Redis for ten minutes.

The order of a search changes whenever a follower is counted, so a position in it would show an account twice or never.
A walk keeps the list instead; what an account has now decides whether it is still shown. There are SLOTS places, and a
new walk takes that of the oldest.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from atsite.core import cursor_format
from atsite.core.cursor_format import InvalidCursor
from atsite.core.kv import PREFIX, quick
from search.people.asked import Closeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from atsite.core.atproto.syntax import Did
    from search.people.asked import Asked

KEY: Final = f"{PREFIX}people:walk:"
NUMBER: Final = f"{PREFIX}people:walks"
SECONDS: Final = 600
SLOTS: Final = 1_000
#: Of one walk: 64 MB for all of them.
BYTES_MAX: Final = 64_000
CURSOR_KIND: Final = "search.people"


@dataclass(frozen=True, slots=True)
class Walk:
    """The accounts that come after the first page."""

    slot: int
    name: str
    dids: tuple[Did, ...]
    #: How well an account must answer to be shown.
    least: Closeness = Closeness.BEGINS

    def cursor(self, position: int) -> str:
        """The cursor of the page that begins at this position of `dids`."""
        return cursor_format.encode(CURSOR_KIND, self.slot, self.name, position)


def begin(asked: Asked, viewer: Did | None, dids: Sequence[Did], least: Closeness) -> str | None:
    """The cursor of the second page; None if Redis does not answer, so that there is none."""
    name = secrets.token_urlsafe(12)
    kept, size = [], 0
    for did in dids:
        size += len(did) + 3
        if size > BYTES_MAX:
            break
        kept.append(did)
    value = json.dumps({"name": name, "of": _of(asked, viewer), "dids": kept, "least": least}, separators=(",", ":"))
    try:
        slot = quick.ask(lambda client: _keep(client, value))
    except quick.RedisAway:
        return None
    return Walk(slot, name, ()).cursor(0)


def _keep(client: redis.Redis, value: str) -> int:
    pipe = client.pipeline(transaction=False)
    pipe.incr(NUMBER)
    pipe.expire(NUMBER, 24 * 3600)
    slot = int(cast("list[int]", pipe.execute())[0]) % SLOTS
    client.set(f"{KEY}{slot}", value, ex=SECONDS)
    return slot


def resume(asked: Asked, viewer: Did | None, cursor: str) -> tuple[Walk, int]:
    """The walk of a cursor, and the position in it; a walk without accounts if it has ended.

    Raises InvalidCursor if the cursor is of another search.
    """
    slot, name, position = cursor_format.decode(CURSOR_KIND, cursor, int, str, int)
    if not 0 <= slot < SLOTS or position < 0:
        raise InvalidCursor("the cursor is not one that was given out")
    ended = Walk(slot, name, ())
    try:
        value = quick.ask(lambda client: cast("bytes | None", client.get(f"{KEY}{slot}")))
    except quick.RedisAway:
        return ended, 0
    kept = json.loads(value) if value else {}
    if kept.get("name") != name:
        return ended, 0
    if kept["of"] != _of(asked, viewer):
        raise InvalidCursor("the cursor is of another search")
    return Walk(slot, name, tuple(kept["dids"]), Closeness(kept["least"])), position


def _of(asked: Asked, viewer: Did | None) -> str:
    """Which search it is, as a hash: what people look for is not kept."""
    text = json.dumps([asked.words, asked.runs, asked.handle, viewer or ""])
    return sha256(text.encode()).hexdigest()[:32]
