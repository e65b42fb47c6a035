"""The query language in short, for the form."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join

from indexer.index.query.examples import EXAMPLES


def html(meaning: str) -> str:
    """The help text of a query: what it is, and the language behind a click."""
    lines = [("  ".join(example.queries), example.meaning) for example in EXAMPLES]
    rows = format_html_join("", "<tr><td><code>{}</code></td><td>{}</td></tr>", lines)
    return format_html(
        '{} <details class="pg-help"><summary>How to write a query</summary>'
        '<table class="pg-table">{}</table></details>',
        meaning,
        rows,
    )
