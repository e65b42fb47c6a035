"""The dids to subscribe to if WANTED_DIDS is set: those, and those of TO_STREAM.

A change is sent to the server as an options_update (https://github.com/bluesky-social/jetstream#options-updates), and
then recorded in Redis, so that a backfill of a new did begins only when the stream already includes the did. The server
accepts 10,000 dids; above that it sends everything, and unwanted events are dropped here.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import DatabaseError, connections
from msgspec.json import encode

from atsite.core import kv
from atsite.core.atproto.syntax import parse_account_did
from atsite.core.config import config
from atsite.core.copies import versions
from atsite.core.errors import AtsiteError, ConfigError, InvalidSyntax
from atsite.core.kv import quick
from atsite.core.repeated_work import repeated
from atsite.core.routers import DEFAULT
from indexer.index.events import Dead, RecordEvent, Skip, SkipReason
from indexer.index.needed_actors import TO_STREAM
from indexer.stream.batch import Batcher

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from indexer.index.events import Decoded

log = structlog.get_logger(__name__)

#: The server refuses more dids than this.
SERVER_MAX: Final = 10_000
#: Seconds between two checks for changes; each reads one row of `default`.
POLL_SECONDS: Final = 0.5
#: The version of the newest change that was sent to the server; absent if everything is requested.
KEY: Final = f"{kv.PREFIX}indexer:asked_for"


class WantedUnknown(AtsiteError):
    """The wanted dids cannot be read; starting without them would lose events for good."""


def is_asked_for(version: int) -> bool:
    """Whether the server has the change of this version; True if everything is requested."""
    try:
        told = quick.ask(lambda client: client.get(KEY))
    except quick.RedisAway:
        return False
    return told is None or int(told) >= version


@dataclass(frozen=True, slots=True)
class Filter:
    """The wanted dids, with every change up to `version`."""

    dids: frozenset[str]
    version: int

    def update(self, collections: Sequence[str]) -> bytes:
        """The options_update for this filter; its arrays replace earlier ones, and an empty one means everything."""
        dids = sorted(self.dids) if len(self.dids) <= SERVER_MAX else []
        payload = {"wantedCollections": list(collections), "wantedDids": dids, "maxMessageSizeBytes": 0}
        return encode({"type": "options_update", "payload": payload})


class Wanted:
    """The current filter; a thread keeps it up to date. The code that sends it to the server sets `sent`."""

    def __init__(self, always: Collection[str]) -> None:
        """Raises ConfigError if one of `always` is not a did, and WantedUnknown."""
        try:
            self._always = frozenset(parse_account_did(did, loopback=config.allow_loopback) for did in always)
        except InvalidSyntax as error:
            raise ConfigError(f"WANTED_DIDS: {error}") from error
        self._sources = TO_STREAM.providers()
        self.current = self._read()
        self.sent: Filter | None = None

    def look(self) -> None:
        """Reload the filter if it changed. While `default` is unavailable the filter stays unchanged."""
        try:
            # Any change of a copied row moves the version; the dids are then reloaded.
            if versions.last_issued() > self.current.version:
                self.current = self._read()
        except (DatabaseError, WantedUnknown) as error:
            log.warning("wanted.kept", error=type(error).__name__)

    def tell(self) -> None:
        """Record in Redis which change the server has."""
        if self.sent is not None:
            _tell(str(self.sent.version))

    def _read(self) -> Filter:
        try:
            version = versions.last_issued()  # first: what is read after it is at least as new
            dids = self._always.union(*(source() for source in self._sources))
        except DatabaseError as error:
            raise WantedUnknown(f"the labelled dids cannot be read from the relational database: {error}") from error
        return Filter(dids, version)


@contextmanager
def watched(always: Collection[str], *, telling: bool = True) -> Iterator[Wanted | None]:
    """The filter, kept up to date; None if `always` is empty, which means everything."""
    if not always:
        if telling:
            _tell(None)
        yield None
        return
    wanted = Wanted(always)

    def watch() -> None:
        if telling:
            wanted.tell()  # sent before the last pause, so the server has it by now
        wanted.look()

    with repeated(POLL_SECONDS, watch, name="indexer-wanted", at_end=lambda: connections[DEFAULT].close()):
        yield wanted


def _tell(version: str | None) -> None:
    try:
        quick.ask(lambda client: client.set(KEY, version) if version else client.delete(KEY))
    except quick.RedisAway as error:
        log.warning("wanted.not_told", error=str(error))


class WantedBatcher(Batcher):
    """A Batcher that leaves out unwanted actors: above SERVER_MAX dids the server sends all events."""

    def __init__(self, dids: Wanted, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dids = dids

    def extend(self, events: Sequence[Decoded], size: int, now: float) -> None:
        wanted = self._dids.current.dids
        super().extend([event if _is_of(event, wanted) else _unwanted(event) for event in events], size, now)


def _is_of(event: Decoded, dids: Collection[str]) -> bool:
    if isinstance(event, Skip | Dead):
        return True
    return (event.repo if isinstance(event, RecordEvent) else event.did) in dids


def _unwanted(event: Decoded) -> Skip:
    """The Skip for an event of an unwanted actor, so that the cursor moves."""
    return Skip(SkipReason.UNWANTED_DID, event.time_us)
