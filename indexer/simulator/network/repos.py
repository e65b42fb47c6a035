"""The current repos of the accounts of a simulated network, as its stream has reported them.

An index of events by actor grows when it is used, by 8 µs and about 10 bytes per event (40 MB a day at the demo's
rate). A repo is folded from its own events on request.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from atsite.core.atproto.tid import tid_of_micros

if TYPE_CHECKING:
    from indexer.simulator.network.events import Network

#: About 10 ms of work, so that the stream and its pings never wait longer for the index.
_CHUNK: Final = 1_000
#: Repos kept folded; one of the demo takes some 20 KB.
_FOLDED: Final = 1_000


class _Commit(msgspec.Struct):
    operation: str
    collection: str
    rkey: str
    rev: str
    cid: str = ""
    record: msgspec.Raw = msgspec.Raw(b"null")


class _Account(msgspec.Struct):
    status: str = ""


class _Event(msgspec.Struct):
    commit: _Commit | None = None
    account: _Account | None = None


_decode: Final = msgspec.json.Decoder(_Event).decode


@dataclass(slots=True)
class Repo:
    """One repo: the rkeys of each collection, and for each the number of the event that wrote it."""

    rev: str
    records: dict[str, dict[str, int]] = field(default_factory=dict)
    #: How many of the actor's events are folded.
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was last written; `value` is JSON."""

    rkey: str
    cid: str
    value: msgspec.Raw


class Repos:
    """The repos of one network. Time only goes forward: later calls know everything that earlier ones did."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._timeline = network.timeline
        self._next = 0
        self._events: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        # How many records say that one actor (the first key) follows another (the second).
        self._following: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._followers: Counter[int] = Counter()
        self._repo = lru_cache(maxsize=_FOLDED)(self._new_repo)

    async def know(self, now: int) -> None:
        """Index every event up to `now` (unix microseconds), yielding to the stream meanwhile."""
        number = self._timeline.first_at(now + 1)
        while self._next < number:
            self._take(min(self._next + _CHUNK, number))
            await asyncio.sleep(0)

    def repo(self, actor: int) -> Repo:
        """The current repo of an actor. The result belongs to the index: only read it, and call again later."""
        repo, numbers = self._repo(actor), self._events[actor]
        for number in numbers[repo.folded :]:
            self._fold(repo, number)
        repo.folded = len(numbers)
        return repo

    def record(self, number: int) -> Record:
        """The record that event `number` wrote."""
        commit = _decode(self._network.event(number)).commit
        assert commit is not None, "only commits are among a repo's records"
        return Record(commit.rkey, commit.cid, commit.record)

    def following(self, actor: int) -> int:
        """The number of accounts that an actor follows."""
        return len(self._following[actor])

    def followers(self, actor: int) -> int:
        """The number of an actor's followers."""
        return self._followers[actor]

    def _take(self, end: int) -> None:
        for number in range(self._next, end):
            deed = self._network.deeds.deed(number)
            self._events[deed.actor].append(number)
            if deed.follows is not None:
                self._follow(deed.actor, deed.follows)
            elif deed.unfollows is not None:
                self._unfollow(deed.actor, deed.unfollows)
            elif deed.gone:
                self._followers.subtract(self._following.pop(deed.actor, Counter()).keys())
        self._next = end

    def _follow(self, actor: int, other: int) -> None:
        following = self._following[actor]
        following[other] += 1
        if following[other] == 1:
            self._followers[other] += 1

    def _unfollow(self, actor: int, other: int) -> None:
        following = self._following[actor]
        following[other] -= 1
        if not following[other]:
            del following[other]
            self._followers[other] -= 1

    def _new_repo(self, actor: int) -> Repo:
        return Repo(rev=tid_of_micros(self._timeline.time_of(self._network.population.born_at(actor))))

    def _fold(self, repo: Repo, number: int) -> None:
        event = _decode(self._network.event(number))
        if event.account is not None and event.account.status == "deleted":
            repo.records.clear()
        if event.commit is None:
            return
        repo.rev = event.commit.rev
        records = repo.records.setdefault(event.commit.collection, {})
        if event.commit.operation == "delete":
            del records[event.commit.rkey]
        else:
            records[event.commit.rkey] = number
