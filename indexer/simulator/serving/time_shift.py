"""Shifts a recorded event in time: shifts all of its times by the same number of whole seconds.

What changes: `time_us`, `rev`, an rkey that is a TID, the `time` of identity and account events, every `createdAt` in
the record, and the rkey of every at-uri in it that names a TID, so that a like still refers to its post. Everything
else stays, also the cids, which then no longer match their records.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Rkey
from atsite.core.atproto.tid import CLOCK_BITS, TID_MAX, int_to_tid, is_tid, tid_to_int
from atsite.core.atproto.timestamps import is_datetime
from atsite.core.errors import InvalidSyntax

MICROS: Final = 1_000_000
# Up to the seconds; the fraction and the offset behind them are the same before and after.
_SECONDS_LENGTH: Final = len("2026-05-25T14:23:28")
_WITNESSED: Final = re.compile(rb'"time_us":\s*(\d{1,19})')
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def shift_event(line: bytes, seconds: int) -> bytes:
    """The event `seconds` later (earlier where negative); a line that is not a JSON object is returned unchanged."""
    try:
        event = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return line
    if not isinstance(event, dict):
        return line
    if type(event.get("time_us")) is int:
        event["time_us"] += seconds * MICROS
    for part in ("identity", "account"):
        if isinstance(body := event.get(part), dict) and "time" in body:
            body["time"] = shift_datetime(body["time"], seconds)
    if isinstance(commit := event.get("commit"), dict):
        for key in ("rev", "rkey"):
            if key in commit:
                commit[key] = shift_tid(commit[key], seconds)
        if "record" in commit:
            commit["record"] = _shift_value(commit["record"], seconds)
    return _encode(event)


def shift_tid(value: Any, seconds: int) -> Any:
    """A TID shifted in time, with its clock id; any other value unchanged."""
    if not (isinstance(value, str) and is_tid(value)):
        return value
    moved = tid_to_int(value) + (seconds * MICROS << CLOCK_BITS)
    return int_to_tid(moved) if 0 <= moved <= TID_MAX else value


def shift_datetime(value: Any, seconds: int) -> Any:
    """A datetime shifted, with its precision and offset; an invalid one, or one out of range, unchanged."""
    if not (isinstance(value, str) and is_datetime(value)):
        return value
    try:
        moved = datetime.fromisoformat(value[:_SECONDS_LENGTH]) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return value
    return moved.isoformat(timespec="seconds") + value[_SECONDS_LENGTH:]


def move_witness(line: bytes, micros: int) -> bytes:
    """The same event as another host saw it: only `time_us` differs."""
    return _WITNESSED.sub(lambda found: b'"time_us":%d' % (int(found[1]) + micros), line, count=1)


def _shift_value(value: Any, seconds: int) -> Any:
    """A value inside a record: at-uris anywhere, datetimes under createdAt."""
    if isinstance(value, str):
        return _shift_uri(value, seconds) if value.startswith("at://") else value
    if isinstance(value, dict):
        return {
            key: shift_datetime(item, seconds) if key == "createdAt" else _shift_value(item, seconds)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_shift_value(item, seconds) for item in value]
    return value


def _shift_uri(text: str, seconds: int) -> str:
    try:
        uri = AtUri.parse(text)
    except InvalidSyntax:
        return text
    return str(AtUri(uri.did, uri.collection, Rkey(shift_tid(uri.rkey, seconds))))
