"""Export of members as CSV."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING, Final

from indexer.index.handles import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.index.handles import Name
    from labels.models import ActorLabel

HEADER: Final = ("label", "did", "handle", "display_name", "note", "created_by", "created_at")
#: Rows per look-up of names.
CHUNK: Final = 500
#: A spreadsheet treats a cell that begins with one of these as a formula, and runs it
#: (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def rows_as_csv(members: Iterable[ActorLabel]) -> Iterator[str]:
    """The header, then the rows in chunks. Raises ClickHouseError between two of them."""
    yield _text([HEADER])
    rest = iter(members)
    while chunk := list(islice(rest, CHUNK)):
        known = names_of({row.did for row in chunk})
        yield _text(_cells(row, known.get(row.did)) for row in chunk)


def safe(cell: str) -> str:
    """A cell that no spreadsheet treats as a formula: an apostrophe in front, which it does not show."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _cells(row: ActorLabel, known: Name | None) -> tuple[str, ...]:
    handle, name = (known.handle, known.display_name) if known else ("", "")
    return (row.label_id, row.did, handle, name, row.note, row.created_by, row.created_at.isoformat())


def _text(rows: Iterable[Iterable[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows([safe(cell) for cell in row] for row in rows)
    return lines.getvalue()
