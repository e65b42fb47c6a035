"""Decodes a frame of Jetstream v1 into one event, or the reason why there is none. Pure; never raises on network input.

A record keeps its own bytes. So the decoder must check that ClickHouse can read them: msgspec parses the whole record,
and refuses anything that ClickHouse would read as empty (indexer.stream.repair); then a repaired copy is decoded
instead. Format of the frames: https://github.com/bluesky-social/jetstream#consuming-jetstream.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder

from atsite.core.atproto.syntax import is_did, is_handle, is_nsid, is_rkey
from atsite.core.atproto.tid import CLOCK_BITS, MICROS_MAX, int_of_checked, is_tid
from atsite.core.atproto.timestamps import micros_of_datetime
from atsite.core.clock import MINUTE_US
from atsite.core.errors import InvalidSyntax
from indexer.index.events import AccountEvent, Dead, DeadReason, Decoded, IdentityEvent, RecordEvent, Skip, SkipReason
from indexer.stream.repair import MAX_DEPTH, BeyondRepair, TooDeep, is_too_deep, repaired

#: A rev or inner time up to this far ahead of the witness time is a wrong clock; beyond it, a forgery that would win
#: over all later records of its repo.
MAX_AHEAD_US: Final = 5 * MINUTE_US
#: A time_us beyond this leaves no room for floors and TIDs, which have 53 bits: the year 2254.
MAX_TIME_US: Final = MICROS_MAX - 365 * 24 * 60 * MINUTE_US
#: Statuses are short words; anything longer is not a status.
MAX_STATUS: Final = 64
MAX_CID: Final = 256
#: How many characters of an explanation a dead letter keeps.
MAX_DETAIL: Final = 200


class _Commit(Struct, gc=False):
    rev: str
    operation: str
    collection: str
    rkey: str
    record: Raw = Raw(b"")
    cid: str = ""


class _Identity(Struct, gc=False):
    time: str
    handle: Any = None


class _Account(Struct, gc=False):
    time: str
    active: bool
    status: Any = None


class _Frame(Struct, gc=False):
    kind: str
    time_us: int
    did: str = ""
    commit: _Commit | None = None
    identity: _Identity | None = None
    account: _Account | None = None


class _Time(Struct, gc=False):
    """The only field read from an unusable frame, so that it moves the cursor."""

    time_us: int = 0


class _Reference(Struct, gc=False, forbid_unknown_fields=True):
    cid: str
    uri: str


class _Like(Struct, gc=False, forbid_unknown_fields=True, rename={"type": "$type"}):
    """A like or repost without unusual fields: checked in half the time of parsing into dicts."""

    type: str
    createdAt: str
    subject: _Reference


class _Follow(Struct, gc=False, forbid_unknown_fields=True, rename={"type": "$type"}):
    type: str
    createdAt: str
    subject: str


_parse: Final = Decoder(_Frame).decode
_parse_time: Final = Decoder(_Time).decode
_parse_anything: Final = Decoder().decode
_like: Final = Decoder(_Like).decode
_follow: Final = Decoder(_Follow).decode
#: The parser of usual records, by collection.
_usual_parser: Final = {
    "app.bsky.feed.like": _like,
    "app.bsky.feed.repost": _like,
    "app.bsky.graph.follow": _follow,
    "app.bsky.graph.block": _follow,
}.get
_UNREADABLE: Final = (DecodeError, UnicodeDecodeError, RecursionError)

#: The usual forms of did, rkey and rev, checked in one step instead of three.
_is_usual_key = re.compile(r"did:plc:[a-z2-7]{24} [2-7a-j][2-7a-z]{12} [2-7a-j][2-7a-z]{12}").fullmatch
#: The operations, each as one string that all events share.
_operation: Final = {name: name for name in ("create", "update", "delete")}.get


@lru_cache(maxsize=4096)
def _collection(name: str) -> str:
    """`name` as one string that all its events share, '' if it is not an NSID.

    The network has some hundred collections, and checking a name takes ten times as long as looking it up.
    """
    return name if is_nsid(name) else ""


def decode(frame: bytes) -> Decoded:
    """The event in `frame`; an invalid frame is repaired first if possible."""
    try:
        return _decoded(_parse(frame), frame)
    except _UNREADABLE:
        pass
    try:
        return _decoded(_parse(repaired(frame)), frame)
    except ValidationError as error:
        return _dead(DeadReason.BAD_FRAME, str(error), frame)
    except TooDeep as error:
        return _dead(DeadReason.TOO_DEEP, str(error), frame)
    except (BeyondRepair, *_UNREADABLE) as error:
        return _dead(DeadReason.MALFORMED, str(error), frame)


def version_of(inner_us: int, time_us: int) -> int:
    """The version of an identity or account event: the time that its own server gave it, in unix microseconds.

    The witness time differs between hosts; it is used only if the event's time is further ahead of it than a clock may
    be wrong (docs/decisions/0010-version-of-account-events.md).
    """
    return inner_us if inner_us <= time_us + MAX_AHEAD_US else time_us


def _decoded(parsed: _Frame, frame: bytes) -> Decoded:
    """`parsed` was read from `frame`, or from its repaired copy. Raises _UNREADABLE."""
    if not 0 < parsed.time_us <= MAX_TIME_US:
        return Dead(DeadReason.BAD_TIME, "time_us out of range", frame, 0)
    if parsed.kind == "commit":
        return _record(parsed, frame)
    if parsed.kind == "identity":
        return _identity(parsed, frame)
    if parsed.kind == "account":
        return _account(parsed, frame)
    return Skip(SkipReason.UNKNOWN_KIND, parsed.time_us)


def _record(parsed: _Frame, frame: bytes) -> RecordEvent | Dead:
    commit = parsed.commit
    did, time_us = parsed.did, parsed.time_us
    if commit is None:
        return Dead(DeadReason.BAD_FRAME, "a commit without its commit", frame, time_us)
    rev, rkey = commit.rev, commit.rkey
    collection, operation = _collection(commit.collection), _operation(commit.operation, "")
    if not collection or not operation or not _is_usual_key(f"{did} {rkey} {rev}"):
        fault = _fault_of_key(did, commit)
        if fault is not None:
            return Dead(fault, "", frame, time_us)
    version = int_of_checked(rev)
    if version >> CLOCK_BITS > time_us + MAX_AHEAD_US:
        return Dead(DeadReason.REV_AHEAD, "", frame, time_us)
    if operation == "delete":
        return RecordEvent(did, collection, rkey, operation, rev, "", b"", time_us, version)
    record_json = bytes(commit.record)
    fault = _fault_of_record(collection, record_json)
    if fault is not None:
        return Dead(fault, "", frame, time_us)
    if len(commit.cid) > MAX_CID:
        return Dead(DeadReason.BAD_CID, "", frame, time_us)
    return RecordEvent(did, collection, rkey, operation, rev, commit.cid, record_json, time_us, version)


def _fault_of_key(did: str, commit: _Commit) -> DeadReason | None:
    if not is_did(did):
        return DeadReason.BAD_DID
    if not _collection(commit.collection):
        return DeadReason.BAD_COLLECTION
    if not is_rkey(commit.rkey):
        return DeadReason.BAD_RKEY
    if not _operation(commit.operation, ""):
        return DeadReason.BAD_OPERATION
    if not is_tid(commit.rev):
        return DeadReason.BAD_REV
    return None


def _fault_of_record(collection: str, record_json: bytes) -> DeadReason | None:
    """Why the record must not be stored, if so. Raises _UNREADABLE if ClickHouse could not read it."""
    parse = _usual_parser(collection)
    if parse is not None:
        try:
            parse(record_json)
        except ValidationError:  # readable so far, but unusual: the next parser reads all of it
            pass
        else:
            return None
    if not record_json.startswith(b"{"):
        return DeadReason.BAD_RECORD
    _parse_anything(record_json)
    # Nesting takes two bytes per level, so short records need no check.
    if len(record_json) > 2 * MAX_DEPTH and is_too_deep(record_json):
        return DeadReason.TOO_DEEP
    return None


def _identity(parsed: _Frame, frame: bytes) -> IdentityEvent | Dead:
    identity = parsed.identity
    if identity is None:
        return Dead(DeadReason.BAD_FRAME, "an identity event without its identity", frame, parsed.time_us)
    if not is_did(parsed.did):
        return Dead(DeadReason.BAD_DID, "", frame, parsed.time_us)
    # Anything else than a handle says what a missing one says: the identity changed, ask again.
    handle = identity.handle.lower() if isinstance(identity.handle, str) and is_handle(identity.handle) else ""
    try:
        version = version_of(_micros(identity.time), parsed.time_us)
    except InvalidSyntax as error:
        return Dead(DeadReason.BAD_TIME, str(error)[:MAX_DETAIL], frame, parsed.time_us)
    return IdentityEvent(parsed.did, handle, parsed.time_us, version)


def _account(parsed: _Frame, frame: bytes) -> AccountEvent | Dead:
    account = parsed.account
    if account is None:
        return Dead(DeadReason.BAD_FRAME, "an account event without its account", frame, parsed.time_us)
    if not is_did(parsed.did):
        return Dead(DeadReason.BAD_DID, "", frame, parsed.time_us)
    # That an account is inactive counts, even if the reason cannot be read.
    status = account.status if isinstance(account.status, str) and len(account.status) <= MAX_STATUS else ""
    try:
        version = version_of(_micros(account.time), parsed.time_us)
    except InvalidSyntax as error:
        return Dead(DeadReason.BAD_TIME, str(error)[:MAX_DETAIL], frame, parsed.time_us)
    return AccountEvent(parsed.did, account.active, status, parsed.time_us, version)


def _micros(text: str) -> int:
    """As micros_of_datetime, but raises InvalidSyntax for a time before 1970."""
    micros = micros_of_datetime(text)
    if micros < 0:
        raise InvalidSyntax("a time before 1970")
    return micros


def _dead(reason: DeadReason, detail: str, frame: bytes) -> Dead:
    """The dead letter of an unreadable frame, with its time if it has one."""
    try:
        time_us = _parse_time(frame).time_us
    except _UNREADABLE:
        time_us = 0
    return Dead(reason, detail[:MAX_DETAIL], frame, time_us if 0 < time_us <= MAX_TIME_US else 0)
