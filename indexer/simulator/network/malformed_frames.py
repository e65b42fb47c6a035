"""Malformed frames, which a consumer must count, store aside or skip, without failing.

Each is WebSocket text made from a valid event: truncated, with another structure, or with a value that no store reads.
They are sent in addition to the valid events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def _put(field: bytes, value: bytes) -> Callable[[bytes], bytes]:
    """Replaces the first value of a text field."""
    pattern = re.compile(b'"' + re.escape(field) + b'":"[^"]*"')
    replacement = b'"' + field + b'":' + value
    return lambda line: pattern.sub(lambda _: replacement, line, count=1)


SPOILERS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda line: line[: len(line) // 2],
    lambda line: b"",
    lambda line: b"null",
    lambda line: b"[" + line + b"]",
    lambda line: line + line,
    lambda line: b'{"kind":"weather","did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","time_us":1}',
    lambda line: re.sub(rb'"time_us":\d+', b'"time_us":"soon"', line, count=1),
    lambda line: re.sub(rb'"time_us":\d+', b'"time_us":99999999999999999999999', line, count=1),
    _put(b"did", b'"did:plc:"'),
    _put(b"did", b"null"),
    _put(b"rev", b'"0000000000000"'),
    _put(b"rev", b'"7777777777777"'),
    _put(b"operation", b'"upsert"'),
    _put(b"collection", b'"post"'),
    _put(b"rkey", b'"' + b"k" * 600 + b'"'),
    _put(b"rkey", b'"../etc"'),
    _put(b"createdAt", b'"\\ud800"'),
    _put(b"createdAt", b"1e999"),
    _put(b"$type", b'"\\u0000"'),
    lambda line: line.replace(b'"record":{', b'"record":' + b"[" * 400 + b"]" * 400 + b',"x":{', 1),
)


def malformed(line: bytes, choice: int) -> bytes:
    """A malformed version of a valid event, by the `choice`-th method (modulo their number)."""
    return SPOILERS[choice % len(SPOILERS)](line)
