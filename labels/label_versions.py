"""The version of each label in Redis: another one whenever the copy of its members in ClickHouse has changed.

A page made from the members of a label can be kept under the version that was read before the page was made: after an
actor got or lost the label, every process reads another version. Versions are random, so an old one never returns.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Final

from atsite.core import kv
from atsite.core.kv import quick

if TYPE_CHECKING:
    from collections.abc import Iterable

    import redis

#: Seconds that a version is stored; the next reader then stores another one.
LIFE_SECONDS: Final = 24 * 3600


def version_key(label: str) -> str:
    """The Redis key of the label's version."""
    return f"{kv.PREFIX}labels:version:{label}"


def change(labels: Iterable[str]) -> bool:
    """Give each of `labels` a new version, after its members' copies were written. False if Redis is unavailable."""
    try:
        _write(labels, insist=True)  # also to a Redis that failed a moment ago
    except quick.RedisAway:
        return False
    return True


def begin(labels: Iterable[str]) -> None:
    """Give a version to those of `labels` that have none. Raises RedisAway."""
    _write(labels, only_missing=True)


def _write(labels: Iterable[str], *, only_missing: bool = False, insist: bool = False) -> None:
    def write(client: redis.Redis) -> None:
        with client.pipeline(transaction=False) as pipe:
            for label in labels:
                pipe.set(version_key(label), token_hex(8), ex=LIFE_SECONDS, nx=only_missing)
            pipe.execute()

    quick.ask(write, insist=insist)
