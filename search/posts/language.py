"""The query language: what the text of a search box asks for. PURE.

Plain words, all of which must occur, in any order and any case:

* a word of a script with spaces is a whole token. Tokens are those of the index `ft` of the table posts
  (ClickHouse's splitByNonAlpha over lowerUTF8): ASCII letters and digits and everything that is not ASCII belong to a
  token, every other ASCII character ends it. So `don't` is `don` and `t`, and `été` is one token.
* a token with Chinese, Japanese, Korean or Thai characters is looked for anywhere in the text, as those scripts run
  words together. Punctuation and spaces of those scripts (、。「」　) end it.

Operators (phrases, from:, -word, …) are not read yet: their signs only separate words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from atsite.core.errors import AtsiteError
from search.posts.unspaced_scripts import has_unspaced, pairs

#: More words than a post of 300 graphemes is likely to hold, and as many as the engine takes in one call (64).
TERMS_MAX: Final = 64
#: Pairs asked of the index. A text that has these has nearly always the rest; what is left is compared as text anyway.
PAIRS_MAX: Final = 16

_SEPARATORS: Final = re.compile(r"[\x00-/:-@\[-`{-\x7f]+")


class BadQuery(AtsiteError):
    """Nothing can be searched for with this text; the message says why and is safe to show."""


@dataclass(frozen=True, slots=True)
class Query:
    """What every post found has: each of `words` as a whole token, each of `parts` anywhere. All are lower case."""

    words: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs of neighbours by which the index finds the parts; none for a part of one character."""
        return tuple(_distinct([pair for part in self.parts for pair in pairs(part)])[:PAIRS_MAX])

    @property
    def indexed(self) -> bool:
        """Whether an index narrows the search; otherwise every text of the period has to be read."""
        return bool(self.words or self.pairs)


def parse(text: str) -> Query:
    """What `text` asks for; raises BadQuery where that is nothing, or too much."""
    words: list[str] = []
    parts: list[str] = []
    for token in tokens(text):
        if has_unspaced(token):
            parts += _runs(token)
        else:
            words.append(token)
    query = Query(tuple(_distinct(words)), tuple(_distinct(parts)))
    terms = len(query.words) + len(query.parts)
    if terms == 0:
        raise BadQuery("there is no word in the query")
    if terms > TERMS_MAX:
        raise BadQuery(f"the query has {terms} words, at most {TERMS_MAX} are searched for")
    return query


def tokens(text: str) -> list[str]:
    """The tokens of a text, lower case, as the index has them."""
    return [token for token in _SEPARATORS.split(text.lower()) if token]


def _runs(token: str) -> list[str]:
    """`token` cut at the punctuation and the spaces of every script."""
    spaced = "".join(" " if unicodedata.category(character)[0] in "PZ" else character for character in token)
    return [run for run in spaced.split(" ") if run]


def _distinct(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))
