"""Repairs frames that are not valid JSON: replaces the invalid parts and keeps the rest.

ClickHouse reads a whole record as empty if it has a lone surrogate, a number beyond a double, a raw control character
or invalid UTF-8 (measured). Such a record is stored as a repaired copy, with U+FFFD for invalid characters and null for
invalid numbers. A frame that Python's lenient parser cannot read either is beyond repair.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

#: ClickHouse reads 1,022 nested arrays and blanks a record at 1,023; msgspec gives up between the two, depending on
#: how deep its caller is. No lexicon nests a tenth of this.
MAX_DEPTH: Final = 500
#: Python refuses integers of more than 4,300 digits; a number beyond a double is not usable anyway.
MAX_DIGITS: Final = 300


class BeyondRepair(ValueError):
    """The frame is not JSON, even after repair."""


class TooDeep(ValueError):
    """The frame is nested deeper than MAX_DEPTH."""


def repaired(frame: bytes) -> bytes:
    """`frame` as JSON that every parser reads the same way. Raises BeyondRepair or TooDeep.

    Keeps the first of duplicate keys, as ClickHouse does.
    """
    text = frame.decode("utf-8", "replace").lstrip("\ufeff")
    if is_too_deep(frame):
        raise TooDeep(f"nested deeper than {MAX_DEPTH}")
    try:
        value = json.loads(
            text,
            strict=False,
            object_pairs_hook=_first_wins,
            parse_constant=_nothing,
            parse_int=_integer,
            parse_float=_float,
        )
    except (ValueError, RecursionError) as error:
        raise BeyondRepair(str(error)) from error
    return json.dumps(_characters(value), ensure_ascii=False, separators=(",", ":")).encode()


def is_too_deep(text: bytes) -> bool:
    """Whether arrays and objects nest deeper than MAX_DEPTH. Brackets inside strings do not count."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    inside_string = escaped = False
    for byte in text:
        if inside_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quote
                inside_string = False
        elif byte == 0x22:
            inside_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return False


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, item in pairs:
        value.setdefault(name, item)
    return value


def _nothing(_name: str) -> None:
    """NaN and Infinity, which Python's parser accepts and JSON does not allow: null."""


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _float(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _characters(value: Any) -> Any:
    """`value` with U+FFFD for every half of a character. At most MAX_DEPTH calls deep."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_characters(item) for item in value]
    if isinstance(value, dict):
        return {_characters(key): _characters(item) for key, item in value.items()}
    return value
