"""Where an operator wants the stream to begin: options of `run_indexer` and `up`, checked before anything is saved."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Final

from atsite.core.errors import AtsiteError
from indexer.stream.position import AHEAD_US, now_us

if TYPE_CHECKING:
    from argparse import ArgumentParser


class CursorUnusable(AtsiteError):
    """What the operator gave as a cursor is none; the message says what would be."""


#: Any time of this network has as many digits: 2001 to 2286, in microseconds.
_DIGITS: Final = 16
_UNITS: Final = {10: "seconds", 13: "milliseconds", 19: "nanoseconds"}


def add_begin_options(parser: ArgumentParser) -> None:
    """`--from` (option `from_cursor`) and `--from-live`."""
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument(
        "--from",
        type=_cursor,
        metavar="CURSOR",
        dest="from_cursor",
        help="begin there, in unix microseconds (`date +%%s%%6N`); 1: with the first event that the host has",
    )
    begin.add_argument("--from-live", action="store_true", help="leave out what happened since the last run")


def _cursor(text: str) -> int:
    try:
        cursor = int(text)
        check_cursor(cursor, now_us())
    except CursorUnusable as error:
        raise ArgumentTypeError(str(error).removeprefix("--from ")) from error
    except ValueError as error:
        raise ArgumentTypeError(f"{text[:80]!r} is no whole number; expected unix microseconds") from error
    return cursor


def check_cursor(cursor: int, now_us: int) -> None:
    """Return where `cursor` can be one: unix microseconds, not in the future. Raises CursorUnusable.

    What is smaller than any time of the network, such as 1, means its beginning.
    """
    digits = len(str(cursor))
    wanted = f"expected unix microseconds: {_DIGITS} digits, now {now_us}; `date +%s%6N` prints them"
    if digits in _UNITS and cursor > 0:
        moment = cursor * 10**_DIGITS // 10**digits
        raise CursorUnusable(f"--from {cursor} is in {_UNITS[digits]}: {wanted}. Perhaps --from {moment}?")
    if cursor < 1 or digits > _DIGITS:
        raise CursorUnusable(f"--from {cursor} is no time of the stream: {wanted}")
    if cursor > now_us + AHEAD_US:
        raise CursorUnusable(
            f"--from {cursor} lies in the future: {wanted}. --from-live begins with what happens now; if the number is"
            " right, this machine's clock is slow"
        )
