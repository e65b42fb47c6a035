"""The query language in short, for the form."""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html, format_html_join

EXAMPLES: Final = (
    ("rehearsal choir", "both words, anywhere in the text"),
    ('"small hall"', "these words in this order"),
    ("choir OR chorus", "one of them; OR in capital letters"),
    ("choir -robots", "not the second word"),
    ("(choir OR chorus) -#advert", "parts in parentheses; posts without a tag"),
    ("#singing  domain:example.com  url:example.com/page", "a tag, a link to a site, a link to a page"),
    ("from:a.example.com  to:…  mentions:…", "posts by an account, to it, or naming it (a handle or did)"),
    ("lang:pt", "posts that declare this language"),
    ("has:images  has:video  has:media  has:alt  has:link", "what is in the post"),
    ("is:root  is:reply  is:quote", "what kind of post it is"),
    ("since:2026-05-01  until:2026-06-01", "a period; days begin at midnight UTC"),
)


def html(meaning: str) -> str:
    """The help text of a query: what it is, and the language behind a click."""
    rows = format_html_join("", "<tr><td><code>{}</code></td><td>{}</td></tr>", EXAMPLES)
    return format_html(
        '{} <details class="pg-help"><summary>How to write a query</summary>'
        '<table class="pg-table">{}</table></details>',
        meaning,
        rows,
    )
