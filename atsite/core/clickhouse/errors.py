"""The errors of ClickHouse calls.

ClickHouseError
├── Refused            ClickHouse refused it: a bug or a setting of ours (any code not listed below)
│   ├── BadContent     a value cannot be stored or read as its column's type: the row is at fault, never the server
│   └── SchemaMismatch the table, column or database is not what the code expects: unapplied migrations
├── QueryTimedOut      longer than Limits.max_execution_time
├── TooManyQueries     the server, or this process's pool, is at its limit                     retryable
├── MemoryLimit        more than Limits.max_memory_usage, or the server's total                retryable
├── TooManyParts       merges do not keep up with inserts                                      retryable
└── Unreachable        refused connect, lost connection, no answer in time, read-only or full  retryable

`retryable` means that the same call may succeed later without any change. The failed call may have been applied: every
insert of this project is idempotent, so repeating it is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from clickhouse_driver import errors as driver

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The server quotes whole statements and rows; a log line needs the first sentence.
MAX_TEXT = 500


class ClickHouseError(AtsiteError):
    """ClickHouse refused a call or could not be reached. `code` is the server's number, 0 if it gave none."""

    retryable: ClassVar[bool] = False

    def __init__(self, text: str, *, code: int, name: str) -> None:
        self.code = code
        self.name = name
        super().__init__(f"{name}: {text} (code {code})")

    def __reduce__(self) -> tuple[object, ...]:
        return (_unpickled, (type(self), self.args, self.__dict__))


class Refused(ClickHouseError):
    """The server refused the call; it would refuse the same call again."""


class BadContent(Refused):
    """A value cannot be stored or read as the type it must have: split the block until the row is found."""


class SchemaMismatch(Refused):
    """A table, column or database is missing or of another shape: migrations are unapplied."""


class QueryTimedOut(ClickHouseError):
    """Longer than max_execution_time. Not retryable: the same query over the same rows takes as long."""


class TooManyQueries(ClickHouseError):
    """The server has too many queries, or every connection of this process is busy."""

    retryable = True


class MemoryLimit(ClickHouseError):
    """More memory than the query or the server may use."""

    retryable = True


class TooManyParts(ClickHouseError):
    """Merges do not keep up with the inserts: wait."""

    retryable = True


class Unreachable(ClickHouseError):
    """No connection, a lost connection, or a server that cannot work now."""

    retryable = True


def _table(*rows: tuple[type[ClickHouseError], tuple[int, ...]]) -> dict[int, type[ClickHouseError]]:
    return {code: kind for kind, codes in rows for code in codes}


#: Server code -> class (src/Common/ErrorCodes.cpp). A code that is not here is `Refused`.
BY_CODE = _table(
    (QueryTimedOut, (159, 160)),  # TIMEOUT_EXCEEDED, TOO_SLOW
    (TooManyQueries, (201, 202, 203)),  # QUOTA_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, NO_FREE_CONNECTION
    (MemoryLimit, (173, 241)),  # CANNOT_ALLOCATE_MEMORY, MEMORY_LIMIT_EXCEEDED
    (TooManyParts, (252,)),
    (
        Unreachable,
        (
            3, 32,  # UNEXPECTED_END_OF_FILE, ATTEMPT_TO_READ_AFTER_EOF: the stream was cut
            74, 75, 76, 198,  # files and DNS of the server's machine
            209, 210, 236, 279,  # SOCKET_TIMEOUT, NETWORK_ERROR, ABORTED (shutting down), ALL_CONNECTION_TRIES_FAILED
            225, 242, 243, 285, 319, 999,  # no Keeper, table read-only, disk full, too few replicas, unknown status
            394, 425, 439, 1000,  # QUERY_WAS_CANCELLED (shutting down), SYSTEM_ERROR, CANNOT_SCHEDULE_TASK, POCO
        ),
    ),
    (
        BadContent,
        (
            6, 25, 26, 27, 33, 38, 41, 72, 376, 441, 675, 676,  # CANNOT_PARSE_*
            53, 70, 69, 131, 321,  # types, ranges, TOO_LARGE_STRING_SIZE
            9, 190, 349, 691,  # sizes of columns and arrays, NULL in a plain column, UNKNOWN_ELEMENT_OF_ENUM
            117, 407, 457, 467, 469,  # INCORRECT_DATA, overflow, parameter, bool, constraint
        ),
    ),
    # columns, identifiers, tables, databases, DEFAULT and key definitions
    (SchemaMismatch, (7, 8, 10, 16, 20, 47, 60, 81, 122)),
)  # fmt: skip


def translated(error: BaseException, *, name: str, values: Iterable[str] = ()) -> ClickHouseError | None:
    """The driver's `error` as one of this module's classes; None if it is not about ClickHouse.

    The text is cut before the server's stack trace and bounded, and each of `values` (the parameters that were sent) is
    removed from it: parameters can contain a viewer's did. The same is done to `error` itself, which is chained.
    """
    if isinstance(error, ClickHouseError):
        return error
    if isinstance(error, driver.Error):
        code = error.code if isinstance(error.code, int) else 0
        text = _shortened(str(error.message or type(error).__name__), values)
        error.message, error.args = text, (text,)
        if hasattr(error, "nested"):
            error.nested = None
        if isinstance(error, (driver.UnexpectedPacketFromServerError, driver.UnknownPacketFromServerError)):
            return Unreachable(text, code=code, name=name)  # client and server are out of step, as after a lost one
        if isinstance(error, driver.TypeMismatchError):
            return BadContent(text, code=code, name=name)
        return _kind(code, text)(text, code=code, name=name)
    if isinstance(error, (OSError, EOFError)):
        return Unreachable(_shortened(str(error) or type(error).__name__, values), code=210, name=name)
    return None


def _kind(code: int, text: str) -> type[ClickHouseError]:
    if code == 252 and "partitions" in text:  # "Too many partitions for single INSERT block": half a block has fewer
        return BadContent
    return BY_CODE.get(code, Refused)


def _shortened(text: str, values: Iterable[str]) -> str:
    text = text.partition("Stack trace:")[0].removeprefix("DB::Exception: ").strip()
    for value in values:
        text = text.replace(value, "…")
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _unpickled(kind: type[ClickHouseError], args: tuple[object, ...], state: dict[str, object]) -> ClickHouseError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
