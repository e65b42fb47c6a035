"""The alternative of the benchmark of search: an SQLite FTS5 index of the same posts."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class SqliteIndex:
    """The alternative: FTS5 of the same posts, the newest with the highest rowid."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connection = sqlite3.connect(file)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("CREATE VIRTUAL TABLE fts USING fts5(author, text, tag, domain, content = '')")

    def add(self, posts: Sequence[tuple[int, str, str, str, str]]) -> None:
        """Posts with their number, author, text, tag and domain."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO fts (rowid, author, text, tag, domain) VALUES (?, ?, ?, ?, ?)", posts
            )

    def seconds(self, query: str) -> float:
        """How long the newest 25 matches take."""
        began = time.perf_counter()
        self._connection.execute(
            "SELECT rowid FROM fts WHERE fts MATCH ? ORDER BY rowid DESC LIMIT 25", (query,)
        ).fetchall()
        return time.perf_counter() - began
