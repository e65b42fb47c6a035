"""Datetimes of lexicons (https://atproto.com/specs/lexicon#datetime): RFC 3339 and ISO 8601 at once.

A client may write any year from 0000 to 9999, but Python's datetime begins with year 1. So times are integers here:
microseconds since 1970, negative before.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from atsite.core.atproto.syntax import invalid

_DATETIME: Final = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,20})?(Z|[+-][0-2][0-9]:[0-5][0-9])"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)
_MICROSECOND: Final = timedelta(microseconds=1)
# The calendar repeats every 400 years: year 0000 is read as 0400 and moved back by as much.
_FOUR_CENTURIES: Final = 146_097 * 86_400 * 1_000_000
_YEAR_ZERO: Final = (datetime(400, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND - _FOUR_CENTURIES


def is_datetime(text: str) -> bool:
    """Whether `text` has the form of a datetime; month 13 still has it (see `micros_of_datetime`)."""
    return _DATETIME.fullmatch(text) is not None and not text.endswith("-00:00")


def micros_of_datetime(text: str) -> int:
    """Microseconds since 1970 of a lexicon's datetime, cut after six digits.

    Raises InvalidSyntax for a wrong form, for a date or time that does not exist, and if the offset moves it before
    year 0000.
    """
    if not is_datetime(text):
        raise invalid("datetime", text)
    if text[11:13] == "24":  # which Python reads from version 3.13 on
        raise invalid("datetime", text)
    year_zero = text.startswith("0000")
    try:
        moment = datetime.fromisoformat("0400" + text[4:] if year_zero else text)
    except ValueError as error:
        raise invalid("datetime", text) from error
    micros = (moment - _EPOCH) // _MICROSECOND - (_FOUR_CENTURIES if year_zero else 0)
    if micros < _YEAR_ZERO:
        raise invalid("datetime", text)
    return micros


def datetime_of_micros(micros: int) -> str:
    """The form that clients prefer, with milliseconds and Z: 2026-05-25T14:23:28.778Z (further digits are cut).

    For times of the years 1 to 9999.
    """
    return (_NAIVE_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds") + "Z"
