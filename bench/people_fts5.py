"""The alternative in the benchmark of people search: the same names in SQLite's full-text index, with prefixes."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from bench.people_names import BLOCK, all_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def percentiles(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.95, 0.99)]


def beside(
    file: Path, accounts: int, questions: dict[str, list[dict[str, str]]]
) -> tuple[dict[str, list[float]], float]:
    """The same questions to FTS5, in this process: words by prefix, the most followed first; not those with an edit."""
    began = time.monotonic()
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, did TEXT, followers INTEGER)")
    database.execute("CREATE VIRTUAL TABLE names USING fts5(handle, name, content='', prefix='1 2 3 4')")
    for number, rows in enumerate(all_names(accounts)):
        ids = range(number * BLOCK, number * BLOCK + len(rows))
        database.executemany(
            "INSERT INTO people VALUES (?, ?, ?)", [(i, row[0], row[3]) for i, row in zip(ids, rows, strict=True)]
        )
        database.executemany(
            "INSERT INTO names (rowid, handle, name) VALUES (?, ?, ?)",
            [(i, row[1], row[2]) for i, row in zip(ids, rows, strict=True)],
        )
    database.commit()
    seconds = time.monotonic() - began
    statement = (
        "SELECT did FROM people WHERE id IN (SELECT rowid FROM names WHERE names MATCH ?)"
        " ORDER BY followers DESC LIMIT 25"
    )
    found: dict[str, list[float]] = {}
    for kind, texts in questions.items():
        if kind in ("one edit", "with a viewer"):
            continue
        times = []
        for parameters in texts[:40]:
            match = " AND ".join(
                f'"{word}"*' for word in parameters["query"].replace(".", " ").replace("-", " ").split()
            )
            start = time.perf_counter()
            database.execute(statement, [match]).fetchall()
            times.append((time.perf_counter() - start) * 1000)
        found[kind] = percentiles(times)
    return found, seconds
