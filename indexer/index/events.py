"""The decoded frames of the stream: a record, an identity or an account event, or the reason why it is none of these.

Plain values. They are msgspec structs, because one is made for every event of the network and a frozen dataclass takes
four times as long to build. They are not `frozen` for the same reason; never change them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class SkipReason(StrEnum):
    """Why an event is left out on purpose; the label of a counter."""

    UNKNOWN_KIND = "unknown_kind"
    UNWANTED_COLLECTION = "unwanted_collection"
    UNWANTED_DID = "unwanted_did"
    BELOW_FLOOR = "below_floor"
    DO_NOT_INDEX = "do_not_index"  # of an actor that is not indexed (indexer.index.do_not_index)


class DeadReason(StrEnum):
    """Why an event could not be indexed; the label of a counter and the reason of its dead letter."""

    MALFORMED = "malformed"  # not JSON, even after repair
    BAD_FRAME = "bad_frame"  # JSON without the fields of an event, or with wrong types
    TOO_DEEP = "too_deep"  # a record nested beyond what ClickHouse reads
    BAD_TIME = "bad_time"  # no usable time_us, or no usable time of an identity or account event
    BAD_DID = "bad_did"
    BAD_COLLECTION = "bad_collection"
    BAD_RKEY = "bad_rkey"
    BAD_OPERATION = "bad_operation"
    BAD_REV = "bad_rev"  # not a TID, which is needed for the version
    REV_AHEAD = "rev_ahead"  # a rev from the future would win over every later one
    BAD_CID = "bad_cid"
    BAD_RECORD = "bad_record"  # the record of a create or update is not an object
    REFUSED = "refused"  # ClickHouse refused the row


class RecordEvent(Struct, gc=False):
    """A create, update or delete of one record: a row of repo_records. `record_json` is the record's own bytes."""

    repo: str
    collection: str
    rkey: str
    operation: str
    rev: str
    cid: str
    record_json: bytes
    time_us: int
    version: int


class IdentityEvent(Struct, gc=False):
    """A did's identity changed; `handle`: lower case, '' if the event has none. `version`: see decode.version_of."""

    did: str
    handle: str
    time_us: int
    version: int


class AccountEvent(Struct, gc=False):
    """A did's hosting status changed (https://atproto.com/specs/account). `version`: see decode.version_of."""

    did: str
    active: bool
    status: str
    time_us: int
    version: int

    @property
    def is_deletion(self) -> bool:
        """Only a deletion purges; every other state can be undone."""
        return not self.active and self.status == "deleted"


class Skip(Struct, gc=False):
    """Nothing to index, but the cursor moves. `time_us` is 0 if the frame has none."""

    reason: SkipReason
    time_us: int


class Dead(Struct, gc=False):
    """An event that could not be indexed, with its whole payload so that it can be retried."""

    reason: DeadReason
    detail: str
    payload: bytes
    time_us: int


Event: TypeAlias = RecordEvent | IdentityEvent | AccountEvent
Decoded: TypeAlias = Event | Skip | Dead
