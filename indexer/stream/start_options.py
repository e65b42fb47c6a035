"""The options --from and --from-live of `run_indexer` and `up`, checked before anything is saved."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Final

from atsite.core.clock import now_us
from atsite.core.errors import AtsiteError
from indexer.stream.position import AHEAD_US

if TYPE_CHECKING:
    from argparse import ArgumentParser


class CursorUnusable(AtsiteError):
    """The value of --from is not a cursor; the message says what is expected."""


#: The digits of every time of this network (2001 to 2286), in microseconds.
_DIGITS: Final = 16
_UNITS: Final = {10: "seconds", 13: "milliseconds", 19: "nanoseconds"}


def add_start_options(parser: ArgumentParser) -> None:
    """`--from` (option `from_cursor`) and `--from-live`."""
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument(
        "--from",
        type=_cursor,
        metavar="CURSOR",
        dest="from_cursor",
        help="begin at this time, in unix microseconds (`date +%%s%%6N`); 1 is the host's oldest event",
    )
    begin.add_argument(
        "--from-live", action="store_true", help="begin with live events; skip everything since the last run"
    )


def _cursor(text: str) -> int:
    try:
        cursor = int(text)
        check_cursor(cursor, now_us())
    except CursorUnusable as error:
        raise ArgumentTypeError(str(error).removeprefix("--from ")) from error
    except ValueError as error:
        raise ArgumentTypeError(f"{text[:80]!r} is not a whole number; expected unix microseconds") from error
    return cursor


def check_cursor(cursor: int, now_us: int) -> None:
    """Check that `cursor` is in unix microseconds and not in the future. Raises CursorUnusable.

    A value before any time of the network, such as 1, means its beginning.
    """
    digits = len(str(cursor))
    wanted = f"expected unix microseconds: {_DIGITS} digits, now {now_us}; `date +%s%6N` prints them"
    if digits in _UNITS and cursor > 0:
        moment = cursor * 10**_DIGITS // 10**digits
        raise CursorUnusable(f"--from {cursor} is in {_UNITS[digits]}: {wanted}. Did you mean --from {moment}?")
    if cursor < 1 or digits > _DIGITS:
        raise CursorUnusable(f"--from {cursor} is not a valid time: {wanted}")
    if cursor > now_us + AHEAD_US:
        raise CursorUnusable(
            f"--from {cursor} is in the future: {wanted}. Use --from-live to begin now. If the number is right, this"
            " machine's clock is slow"
        )
