"""How pages say things: ages, counts, texts with marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from search.posts.highlight import Range
    from search.posts.rows import Row

#: Where posts, people and feeds are shown in full, below the did of their account.
APP: Final = "https://bsky.app/profile"
#: A post has at most 3,000 bytes (lexicon app.bsky.feed.post); what forged records have beyond is not shown.
TEXT_MAX: Final = 3_000
_MANY_LINES: Final = re.compile(r"\n\s*\n\s*\n+")
MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Moment(NamedTuple):
    """A time as people say it, in full, and for programs."""

    short: str
    full: str
    iso: str


def moment(at: datetime, now: datetime) -> Moment:
    """`at` (UTC), as seen from `now`."""
    day = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    return Moment(_age(now - at) or day, f"{day}, {at:%H:%M} UTC", at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _age(age: timedelta) -> str:
    """In minutes, hours or days; empty beyond a week."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    return ("1 day ago" if days == 1 else f"{days} days ago") if days <= 7 else ""


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 like`, `1,204 likes`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def engagement(row: Row) -> list[str]:
    """The counts of a post that are not 0."""
    counts = row.counts
    numbers = [
        (counts.likes, "like", None),
        (counts.reposts, "repost", None),
        (counts.replies, "reply", "replies"),
        (counts.quotes, "quote", None),
    ]
    return [count(number, one, many) for number, one, many in numbers if number]


def marked(text: str, ranges: Iterable[Range]) -> SafeString:
    """A text as HTML, with the ranges (bytes of UTF-8, ascending) in `mark` and its lines kept."""
    data = text.encode("utf-8", "replace")
    parts: list[str] = []
    at = 0
    for begin, end in ranges:
        parts += [_lines(data[at:begin]), format_html("<mark>{}</mark>", _lines(data[begin:end]))]
        at = end
    return mark_safe("".join([*parts, _lines(data[at:])]))  # noqa: S308 - each part is escaped


def _lines(data: bytes) -> SafeString:
    text = str(conditional_escape(data.decode("utf-8", "replace")))
    return mark_safe(text.replace("\n", "<br>"))  # noqa: S308 - escaped above


def shortened(text: str) -> str:
    """A text in at most TEXT_MAX characters, with at most one empty line between others."""
    return _MANY_LINES.sub("\n\n", text.replace("\r", "").strip())[:TEXT_MAX]


def pointed(text: str, at: int) -> SafeString:
    """A query as HTML, with the character at a position marked; at the end, a sign that something is missing."""
    at = min(max(at, 0), len(text))
    return format_html("{}<mark>{}</mark>{}", text[:at], text[at : at + 1] or "▯", text[at + 1 :])


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
