"""The query language in short, for forms and pages. PURE.

Tests read each example with the parser, and look for filters and values that no example shows.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Example(NamedTuple):
    """Queries that are alike, and what a post that they find has."""

    queries: tuple[str, ...]
    meaning: str


EXAMPLES: Final = (
    Example(("rehearsal choir",), "both words, anywhere in the text"),
    Example(('"small hall"',), "these words in this order"),
    Example(("choir OR chorus",), "one of them; OR in capital letters"),
    Example(("choir -robots",), "not the second word"),
    Example(("(choir OR chorus) -#advert",), "parts in parentheses; posts without a tag"),
    Example(("#singing", "domain:example.com", "url:example.com/page"), "a tag, a link to a site, a link to a page"),
    Example(
        ("from:a.example.com", "to:a.example.com", "mentions:a.example.com"),
        "posts by an account, to it, or naming it (a handle or did)",
    ),
    Example(("lang:pt",), "posts that declare this language"),
    Example(("has:images", "has:video", "has:media", "has:alt", "has:link"), "what is in the post"),
    Example(("is:root", "is:reply", "is:quote"), "what kind of post it is"),
    Example(("since:2026-05-01", "until:2026-06-01"), "a period; days begin at midnight UTC"),
)
