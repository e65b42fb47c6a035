"""Prepares values for server-side parameters (`{name:Type}`), so that the driver sends them exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from uuid import UUID

#: The parameters of a statement, by name.
Parameters = Mapping[str, object]

#: Shorter texts are not removed from error messages: they are too common, and identify no one.
MIN_SECRET_LENGTH = 4

#: A text that needs no escape: printable ASCII without quote and backslash.
_PLAIN = re.compile(r"[ -&(-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class PlainTexts:
    """A list of plain texts, in the form in which the driver sends an array.

    The driver escapes each character of a list twice, in Python: that took two fifths of the time of a look-up of
    posts. It sends the text of a value whose type it does not know as it is, between quotes.
    """

    texts: Sequence[str] = field(repr=False)

    def __str__(self) -> str:
        return "[" + ", ".join([rf"\'{text}\'" for text in self.texts]) + "]"


def prepared(parameters: Parameters) -> dict[str, object]:
    """The parameters in forms that the driver sends unchanged.

    Sets become sorted lists, aware datetimes their UTC text with microseconds (which the driver drops),
    booleans 1 and 0.
    Raises TypeError for a value or a naive datetime that has no exact form.
    """
    return {name: _plain(value) or _value(value) for name, value in parameters.items()}


def texts(value: object) -> list[str]:
    """Every text in `value`, longest first; these must not appear in error messages."""
    found = sorted(_texts(value), key=len, reverse=True)
    return [text for text in found if len(text) >= MIN_SECRET_LENGTH]


def _value(value: object) -> object:
    if isinstance(value, Enum):
        return _value(value.value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, (int, float, date, UUID)):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Set):
        return [_value(item) for item in sorted(value)]
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_value(item) for item in value)
    raise TypeError(f"a {type(value).__name__} cannot be a ClickHouse parameter")


def _plain(value: object) -> PlainTexts | None:
    """The value as PlainTexts, if it is a list or set of plain texts."""
    if not isinstance(value, (list, Set)) or not value:
        return None
    if not all(isinstance(item, str) and not isinstance(item, Enum) and _PLAIN.fullmatch(item) for item in value):
        return None
    return PlainTexts(sorted(value) if isinstance(value, Set) else value)


def _datetime(value: datetime) -> str:
    if value.tzinfo is None:
        raise TypeError("a naive datetime is ambiguous: give it a time zone")
    # DateTime takes no fraction, and isoformat writes none where there is none.
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _text(value: str) -> str:
    value.encode("utf-8")  # a lone surrogate fails here, before half a query is on the wire
    return str(value)


def _texts(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, Mapping):
        return {text for item in value.values() for text in _texts(item)}
    if isinstance(value, PlainTexts):
        return set(value.texts)
    if isinstance(value, (list, tuple, Set)):
        return {text for item in value for text in _texts(item)}
    return set()
