"""The overview as the page and the live socket show it: tiles and tables of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from atsite.dashboard import read_numbers, thresholds
from atsite.dashboard.number_words import count, size, span
from atsite.dashboard.thresholds import WORDS, schedule_state

if TYPE_CHECKING:
    from atsite.dashboard.numbers import Numbers, Scheduled, Table
    from atsite.dashboard.thresholds import Tile

#: The largest tables; the others are small.
TABLES_SHOWN = 40


def current() -> dict[str, Any]:
    """The current values, ready for JSON. Blocks for read_numbers.TIMEOUT_SECONDS at most."""
    return shown(read_numbers.numbers())


def shown(numbers: Numbers) -> dict[str, Any]:
    """Pure: the result depends only on `numbers`."""
    return {
        "at": numbers.at.strftime("%H:%M:%S UTC"),
        "tiles": [_tile(tile) for tile in thresholds.tiles(numbers)],
        "tasks": [_task(line, numbers) for line in numbers.schedule or ()],
        "tables": [_table(table) for table in (numbers.tables or ())[:TABLES_SHOWN]],
    }


def _tile(tile: Tile) -> dict[str, str]:
    return {
        "key": tile.key,
        "title": tile.title,
        "state": tile.state.value,
        "word": tile.word,
        "value": tile.value,
        "detail": tile.detail,
        "todo": tile.todo,
        "url": reverse(tile.link) if tile.link else "",
    }


def _task(line: Scheduled, numbers: Numbers) -> dict[str, str]:
    state, word = schedule_state(line, numbers)
    return {
        "key": line.title,
        "state": state.value,
        "word": word if word in ("missing", "failed", "late", "not yet") else WORDS[state],
        "every": span(line.period),
        "ran": "never" if line.last is None else f"{span(numbers.at - line.last.ended_at)} ago",
        "took": "" if line.last is None else f"{line.last.seconds:.1f} s",
    }


def _table(table: Table) -> dict[str, str]:
    return {"key": table.name, "rows": count(table.rows), "size": size(table.bytes)}
