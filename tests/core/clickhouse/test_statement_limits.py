"""Which statements have the limits of a page that a reader waits for, because they name no others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("atsite", "indexer", "feeds", "search", "labels", "apikeys")
READS = ("query", "column", "scalar", "execute")

WITHOUT_LIMITS = {
    "apikeys.counted",
    "demo.busiest",
    "feeds.counted_usage",
    "feeds.daily_usage",
    "feeds.events",
    "indexer.cursor_before",
    "indexer.has_records",
    "indexer.kept_days",
    "indexer.newest_checkpoint",
    "labels.dids_by_handle",
    "labels.members",
    "schema.create_database",
    "schema.functions",
    "schema.objects",
    "stats.daily",
}


def _statements() -> Iterator[dict[str, ast.expr]]:
    """The keyword arguments of each call of the door, by name."""
    for folder in FOLDERS:
        for path in (BASE_DIR / folder).rglob("*.py"):
            if path.parent.name == "migrations":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="door"), attr=attr)) if attr in READS:
                        yield {str(keyword.arg): keyword.value for keyword in node.keywords}


def test_every_other_statement_names_its_limits() -> None:
    found = {ast.literal_eval(given["name"]) for given in _statements() if "limits" not in given}
    assert found == WITHOUT_LIMITS
