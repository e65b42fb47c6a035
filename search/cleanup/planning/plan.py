"""The plan of a clean-up: which records go, which are kept, and why. PURE.

The plan depends only on the records, the rules, the counts and the time. Its owner confirms a digest, so what is
deleted is what was shown. Records are untrusted: nothing raises, and what cannot be understood is kept.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import is_cid, is_nsid, is_rkey
from search.cleanup.planning.protections import PROFILE, Protections, own_path
from search.cleanup.planning.reasons import Reason
from search.cleanup.planning.record_dates import date_of
from search.cleanup.planning.record_types import (
    LIKE,
    POST,
    REPOST,
    NotUnderstood,
    RecordType,
    Types,
    UnknownEmbed,
    types_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from search.cleanup.planning.protections import PostCounts, RepoRecord
    from search.cleanup.planning.rules import Rules

#: Who may reply to, and who may quote, the post with the same rkey.
GATES: Final = ("app.bsky.feed.threadgate", "app.bsky.feed.postgate")
#: The collections to read for a plan, all of each: the profile names the pinned post, likes and replies protect posts.
COLLECTIONS: Final = (POST, REPOST, LIKE, *GATES, PROFILE)
#: How many examples of each type and reason a plan shows.
EXAMPLES: Final = 3
#: Writes cost points at a PDS, a delete one: 5,000 an hour and 35,000 a day. The rest is left to the owner's own use.
PER_HOUR: Final = 4_000
PER_DAY: Final = 30_000
_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Going:
    """A record that goes. `date_us`: unix microseconds."""

    uri: str
    cid: str
    types: Types
    date_us: int


@dataclass(frozen=True, slots=True, order=True)
class Gate:
    """A threadgate or postgate that goes with its post."""

    uri: str
    cid: str


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """A record that is kept. A record without a valid address has the uri of its repo."""

    reason: Reason
    uri: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a clean-up deletes and what it keeps."""

    did: str
    cutoff_us: int
    #: How many records were judged.
    records: int
    #: Oldest first.
    going: tuple[Going, ...]
    gates: tuple[Gate, ...]
    #: By reason.
    kept: tuple[Kept, ...]
    #: SHA-256 over what goes and the rules, in hexadecimal: a confirmation names it.
    digest: str

    @property
    def path_start(self) -> int:
        """Where collection/rkey begins in an at-uri of the repo."""
        return len(f"at://{self.did}/")

    @property
    def deletes(self) -> int:
        """How many records are deleted, gates included."""
        return len(self.going) + len(self.gates)

    @property
    def going_by_type(self) -> Counter[RecordType]:
        """How many records of each type go; a record of two types counts in both."""
        return Counter(record_type for record in self.going for record_type in record.types)

    @property
    def kept_by_reason(self) -> Counter[Reason]:
        """How many records are kept for each reason."""
        return Counter(record.reason for record in self.kept)

    @property
    def oldest_us(self) -> int | None:
        """The date of the oldest record that goes."""
        return self.going[0].date_us if self.going else None

    @property
    def newest_us(self) -> int | None:
        """The date of the newest record that goes."""
        return self.going[-1].date_us if self.going else None

    @property
    def going_examples(self) -> dict[RecordType, tuple[Going, ...]]:
        """The oldest records of each type that go."""
        of_type = {each: [record for record in self.going if each in record.types] for each in RecordType}
        return {each: tuple(records[:EXAMPLES]) for each, records in of_type.items() if records}

    @property
    def kept_examples(self) -> dict[Reason, tuple[str, ...]]:
        """The at-uris of some records kept for each reason."""
        groups = groupby(self.kept, key=lambda record: record.reason)
        return {reason: tuple(record.uri for record in group)[:EXAMPLES] for reason, group in groups}

    @property
    def uncounted(self) -> tuple[str, ...]:
        """The posts whose counts are missing: of a plan made without counts, those to ask the AppView for."""
        unknown = (Reason.LIKES_UNKNOWN, Reason.REPLIES_UNKNOWN)
        return tuple(record.uri for record in self.kept if record.reason in unknown)


def make_plan(
    did: str, records: Iterable[RepoRecord], rules: Rules, counts: Mapping[str, PostCounts], now_us: int
) -> Plan:
    """The plan for the repo of `did`, from all its records of COLLECTIONS, in any order.

    `records` is iterated twice, so that a large repo does not have to be in memory. `counts` has the AppView's counts
    by at-uri; a post whose counts are needed and missing is kept. `now_us`: unix microseconds. Never raises for any
    record.
    """
    listed = _Listing()
    protections = Protections.of(did, listed.watched(records), rules)
    cutoff_us = rules.cutoff_us(now_us)
    going: list[Going] = []
    kept: list[Kept] = []
    gates: list[RepoRecord] = []
    judged_records = 0
    for record in records:
        judged_records += 1
        if not _has_address(record):
            kept.append(Kept(Reason.NO_ADDRESS, f"at://{did}"))
            continue
        uri = f"at://{did}/{record.path}"
        if (reason := _by_address(record, listed.twice, protections)) is not None:
            kept.append(Kept(reason, uri))
        elif record.collection in GATES:
            gates.append(record)
        else:
            judged = _judge(record, uri, protections, counts.get(uri), cutoff_us, now_us)
            if isinstance(judged, Going):
                going.append(judged)
            else:
                kept.append(Kept(judged, uri))
    deleted_posts = {record.uri for record in going}
    going_gates, kept_gates = _split_gates(gates, did, deleted_posts)
    return Plan(
        did=did,
        cutoff_us=cutoff_us,
        records=judged_records,
        going=tuple(sorted(going, key=lambda record: (record.date_us, record.uri))),
        gates=tuple(sorted(going_gates)),
        kept=tuple(sorted([*kept, *kept_gates])),
        digest=_digest([*going, *going_gates], rules),
    )


def hours_needed(plan: Plan, per_hour: int = PER_HOUR, per_day: int = PER_DAY) -> int:
    """The hours until the last delete of a plan, 0 for an empty one: a delete costs one point of both limits.

    Raises ValueError for a limit below 1.
    """
    if per_hour < 1 or per_day < 1:
        raise ValueError("a limit of 0 points allows no deletes")
    if not plan.deletes:
        return 0
    full_days, before_last = divmod(plan.deletes - 1, min(per_day, per_hour * _HOURS))
    return full_days * _HOURS + before_last // per_hour + 1


def _has_address(record: RepoRecord) -> bool:
    """Whether a delete can name it; the parts come from outside, so they may not even be texts."""
    parts = (record.collection, record.rkey, record.cid)
    return (
        all(isinstance(part, str) for part in parts)
        and is_nsid(record.collection)
        and is_rkey(record.rkey)
        and is_cid(record.cid)
    )


class _Listing:
    """Which records are listed twice. A repo's tree lists in ascending order, where nothing has to be remembered."""

    def __init__(self) -> None:
        self.twice: set[str] = set()

    def watched(self, records: Iterable[RepoRecord]) -> Iterator[RepoRecord]:
        """The records whose collection and rkey are texts: also what cannot be deleted protects other records."""
        last, ascending = "", True
        for record in records:
            if not all(isinstance(part, str) for part in (record.collection, record.rkey)):
                continue
            if ascending:
                ascending, last = last < record.path, record.path
            yield record
        if not ascending:
            listed = Counter(record.path for record in records if _has_address(record))
            self.twice = {path for path, times in listed.items() if times > 1}


def _by_address(record: RepoRecord, twice: set[str], protections: Protections) -> Reason | None:
    """Why a record is kept, whatever is in it."""
    if record.path in twice:
        return Reason.LISTED_TWICE
    if record.collection not in (POST, REPOST, LIKE, *GATES):
        return Reason.OTHER_COLLECTION
    return Reason.KEPT_BY_ADDRESS if record.path in protections.kept else None


def _judge(
    record: RepoRecord, uri: str, protections: Protections, counts: object, cutoff_us: int, now_us: int
) -> Going | Reason:
    """A post, repost or like: that it goes, or why it is kept."""
    rules = protections.rules
    try:
        types = types_of(record.collection, record.value, rules.media_hosts)
    except UnknownEmbed:
        return Reason.UNKNOWN_EMBED
    except NotUnderstood:
        return Reason.NOT_UNDERSTOOD
    if not types <= rules.types:
        return Reason.NOT_CHOSEN
    date_us = date_of(record.rkey, record.value, now_us)
    if date_us is None:
        return Reason.UNDATABLE
    if date_us >= cutoff_us:
        return Reason.TOO_NEW
    return protections.of_record(record, counts) or Going(uri, record.cid, types, date_us)


def _split_gates(gates: Iterable[RepoRecord], did: str, deleted: set[str]) -> tuple[list[Gate], list[Kept]]:
    """The gates that go with their posts, and the others."""
    going: list[Gate] = []
    kept: list[Kept] = []
    for gate in gates:
        uri = f"at://{did}/{gate.path}"
        value = gate.value if isinstance(gate.value, dict) else {}
        if f"at://{did}/{POST}/{gate.rkey}" not in deleted:
            kept.append(Kept(Reason.GATE_OF_NO_DELETED_POST, uri))
        elif value.get("$type") != gate.collection or own_path(value.get("post"), did) != f"{POST}/{gate.rkey}":
            kept.append(Kept(Reason.NOT_UNDERSTOOD, uri))
        else:
            going.append(Gate(uri, gate.cid))
    return going, kept


def _digest(deleted: Iterable[Going | Gate], rules: Rules) -> str:
    # In ASCII, because a text of the rules may hold a half of a surrogate pair, which UTF-8 cannot write.
    digest = sha256(json.dumps(rules.as_json(), sort_keys=True, separators=(",", ":")).encode("ascii"))
    for record in sorted(deleted, key=lambda record: (record.uri, record.cid)):
        digest.update(f"\n{record.uri} {record.cid}".encode())
    return digest.hexdigest()
