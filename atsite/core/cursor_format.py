"""The format of page cursors: a position in a list, as opaque text that a client sends for the next page. Pure.

A cursor is the unpadded base64url of a compact JSON array `[version, kind, part, …]`. Each position has exactly one
text, so a cursor that was cut, changed or made for another list is refused and never misread. It is not signed: a
client that changes one only requests another page of the same public list.
"""

from __future__ import annotations

import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from atsite.core.errors import AtsiteError

Part = str | int | float
PartType = type[str] | type[int] | type[float]

#: Increase it when the meaning of the parts changes, so that old cursors are refused instead of misread.
VERSION: Final = 1
#: The longest accepted cursor in characters: a record key (512) and a did (2048) in JSON, a third more by base64.
CURSOR_MAX: Final = 4096
#: The integers that a Redis, a ClickHouse Int64 and a JavaScript client's BigInt can all hold.
_INT64: Final = range(-(1 << 63), 1 << 63)


class InvalidCursor(AtsiteError):
    """A cursor that this list did not return; the message is safe to show."""


def encode(kind: str, *parts: Part) -> str:
    """The cursor of a position in the list `kind`. Parts are strings, 64-bit integers and finite floats."""
    array = json.dumps([VERSION, kind, *parts], ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return urlsafe_b64encode(array.encode()).decode().rstrip("=")


def decode(kind: str, text: str, *shape: PartType) -> tuple[Any, ...]:
    """The parts of a cursor of the list `kind`, with the types `shape`; raises InvalidCursor.

    Example: `rkey, did = decode("search", cursor, str, str)`.
    """
    if not 0 < len(text) <= CURSOR_MAX:
        raise InvalidCursor("the cursor is empty or too long")
    try:
        array = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        if not isinstance(array, list) or array[:2] != [VERSION, kind] or not _fits(array[2:], shape):
            raise InvalidCursor("the cursor belongs to another list or another version of this one")
        canonical = encode(kind, *array[2:])
    except (ValueError, RecursionError) as error:  # not base64, not UTF-8, not JSON, a lone surrogate, arrays of arrays
        raise InvalidCursor("the cursor is not valid") from error
    if canonical != text:
        raise InvalidCursor("the cursor is not valid")
    return tuple(array[2:])


def _fits(parts: list[Any], shape: tuple[PartType, ...]) -> bool:
    return len(parts) == len(shape) and all(
        type(part) is wanted and (not isinstance(part, int) or part in _INT64) and _finite(part)
        for part, wanted in zip(parts, shape, strict=True)
    )


def _finite(part: Part) -> bool:
    return not isinstance(part, float) or math.isfinite(part)
