"""A pasted list or CSV of actors, and what adding or removing a label would do with each line. PURE.

Lines go through three stages: parsed (`parse_lines`), looked up (labels.lookup), and given a status (`set_statuses`).
A confirmed change is applied to the lines with the status NEW, and to no others.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from atsite.core.errors import AtsiteError
from indexer.index import pasted
from indexer.index.pasted import NotAnActor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: Lines of one change; looking up so many handles takes some minutes.
MAX_LINES: Final = 5_000
#: Maximum characters of a line: a line is a handle, perhaps with a note.
MAX_LINE: Final = 2_500
#: Column names that may contain the actors in a CSV, the preferred ones first.
COLUMNS: Final = ("did", "handle", "actor", "profile", "account", "username", "user", "name")


class TooMany(AtsiteError):
    """The list has more lines than one change may have."""


class Status(StrEnum):
    """What happens to a line."""

    PENDING = "pending"  # not looked up yet
    NEW = "new"  # will be done
    ALREADY = "already"  # has the label already, or does not have it
    DUPLICATE = "duplicate"  # an earlier line names the same actor
    UNRESOLVABLE = "unresolvable"  # no account found, or not now
    INVALID = "invalid"  # neither a handle nor a did


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `number` counts from 1, as in an editor. `changed`: None until applied, then whether it changed."""

    number: int
    text: str
    status: Status = Status.PENDING
    #: The did, or the handle that is still to be found.
    identifier: str = ""
    did: str = ""
    handle: str = ""
    reason: str = ""
    passing: bool = False
    changed: bool | None = None

    def stored(self) -> dict[str, Any]:
        """As JSON, without empty values."""
        return {name: value for name, value in asdict(self).items() if value not in ("", False) or name == "changed"}

    @classmethod
    def restored(cls, value: Mapping[str, Any]) -> Line:
        """The reverse of `stored`."""
        return cls(**{**value, "status": Status(value["status"])})


def parse_lines(text: str) -> list[Line]:
    """The lines of a pasted list, or the rows of a CSV with or without a header. Raises TooMany.

    The actor of a row is in the column that the header names, else in the first cell with an actor. Empty lines and
    lines that begin with # are skipped.
    """
    rows = _rows(text)
    column = _column(rows[0][1]) if rows else None
    if column is not None:
        rows = rows[1:]
    if len(rows) > MAX_LINES:
        raise TooMany(f"The list has {len(rows):,} lines, and at most {MAX_LINES:,} are allowed: split it into parts.")
    return [_read(number, cells, column) for number, cells in rows]


def set_statuses(lines: Sequence[Line], members_now: Collection[str], *, giving: bool) -> list[Line]:
    """The lines with their status, after the look-up. `members_now`: the dids that have the label now."""
    seen: dict[str, int] = {}
    done = []
    for line in lines:
        if line.status in (Status.INVALID, Status.UNRESOLVABLE) or not line.did:
            done.append(line)
        elif line.did in seen:
            reason = f"the same actor as in line {seen[line.did]}"
            done.append(replace(line, status=Status.DUPLICATE, reason=reason))
        else:
            seen[line.did] = line.number
            already = (line.did in members_now) is giving
            done.append(replace(line, status=Status.ALREADY if already else Status.NEW))
    return done


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The number and the cells of each line with content; cells are separated by tabs, semicolons or commas."""
    rows = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        bare = line[:MAX_LINE].strip()
        if not bare or bare.startswith("#"):
            continue
        divider = next((mark for mark in ("\t", ";", ",") if mark in bare), ",")
        cells = [cell.strip() for cell in next(csv.reader([bare], delimiter=divider), [])]
        rows.append((number, cells if any(cells) else [bare]))
    return rows


def _column(header: Sequence[str]) -> int | None:
    """The index of the column with the actors; None if the row is not a header."""
    names = [cell.lower() for cell in header]
    return next((names.index(name) for name in COLUMNS if name in names), None)


def _read(number: int, cells: list[str], column: int | None) -> Line:
    """Read a row: its named column if it has one, else the first cell with an actor."""
    tried = [cells[column], *cells] if column is not None and column < len(cells) else cells
    tried = [cell for cell in tried if cell]
    for cell in tried:
        try:
            return Line(number, pasted.shown(cell), identifier=pasted.actor(cell))
        except NotAnActor:
            continue
    try:
        pasted.actor(tried[0])
    except NotAnActor as error:
        return Line(number, pasted.shown(tried[0]), Status.INVALID, reason=str(error))
    raise AssertionError("a cell cannot be read once and then not")
