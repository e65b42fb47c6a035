"""Conditions: constants in the statement, untrusted values in its parameters, and what is told about the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.tid import tid_of_micros
from indexer.index.query import conditions
from indexer.index.query.conditions import Where, where
from indexer.index.query.parse import BadQuery, parse
from indexer.index.query.resolved import Cut, Resolved
from indexer.index.query.tree import Filter, Key, Phrase, Word, leaves
from tests.builders import ALICE

if TYPE_CHECKING:
    from indexer.index.query.tree import Node

DAY = 24 * 3600 * 1_000_000
NOW = 1_750_000_000_000_000
SINCE_RKEY = tid_of_micros(NOW - DAY)


def cut(text: str) -> Cut:
    """As the store would: spaced words, or one unspaced run."""
    spaced = text.isascii()
    words = text.lower().replace("-", " ").split() if spaced else []
    pairs = [] if spaced else [text[at : at + 2] for at in range(len(text) - 1)]
    return Cut(text, text.lower(), words, [] if spaced else [text], pairs, f" {' '.join(words or text)} ", text.lower())


def condition(text: str) -> Where:
    node: Node = parse(text)
    texts = [leaf.text for leaf in leaves(node) if isinstance(leaf, Word | Phrase)]
    texts += [leaf.value for leaf in leaves(node) if isinstance(leaf, Filter) and leaf.key is Key.TAG]
    return where(Resolved(node, {text: cut(text) for text in texts}), now=NOW)


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("Cat e-mail", "TOKENS", [["cat", "e", "mail"]]),
        ("東京都 cat", "TOKENS AND PARTS", [["東京", "京都", "cat"], ["東京都"]]),
        ('"big cat" dog', "TOKENS AND PHRASE", [["big", "cat", "dog", "~42F9"], " big cat "]),
        ("-cat dog", "TOKENS AND NOT (TOKENS)", [["dog"], ["cat"]]),
        ("cat OR dog OR #Cow", "(ANY_OF_TOKENS OR TAG)", [["cat", "dog"], "cow"]),
        ("cat OR e-mail", "(TOKENS OR TOKENS)", [["cat"], ["e", "mail"]]),
        ("(cat dog) OR 東京", "(TOKENS OR TOKENS)", [["cat", "dog"], ["東京"]]),
        ("cat (dog OR (#a has:alt))", "TOKENS AND (TOKENS OR (TAG AND ALT))", [["cat"], ["dog"], "a"]),
        ("#a domain:b.example", "TAG AND DOMAIN", ["a", "b.example"]),
        (f"to:{ALICE} mentions:{ALICE}", "TO AND MENTIONS", [ALICE, ALICE]),
        ("cat lang:pt is:reply", "TOKENS AND LANG AND REPLY", [["cat"], "pt"]),
        (
            "cat since:1970-01-02",
            "TOKENS AND SINCE AND FROM_RKEY",
            [["cat"], DAY, tid_of_micros(DAY)],
        ),
        (
            "cat until:1970-01-02 until:1970-01-03",
            "TOKENS AND UNTIL AND UNTIL AND BELOW_RKEY",
            [["cat"], DAY, 2 * DAY, tid_of_micros(2 * DAY)],
        ),
        ("cat -until:1970-01-02", "TOKENS AND NOT (UNTIL)", [["cat"], DAY]),
        ("lang:en", "LANG AND FROM_RKEY", ["en", SINCE_RKEY]),
    ],
)
def test_each_condition_has_its_parameters(text: str, sql: str, values: list[object]) -> None:
    traits = {"ALT": (Key.HAS, "alt"), "REPLY": (Key.IS, "reply")}
    found = condition(text)
    written = sql.split(" ")
    numbers = iter(range(len(values)))

    def constant(word: str) -> str:
        bare = word.strip("()")
        text = conditions.TRAITS[traits[bare]] if bare in traits else str(getattr(conditions, bare))
        if "{VALUE:" in text:
            text = text.replace("{VALUE:", f"{{q{next(numbers)}:")
        return word.replace(bare, text)

    expected = " ".join(word if word.strip("()") in ("AND", "OR", "NOT") else constant(word) for word in written)
    assert found.sql == f"{conditions.ELIGIBLE} AND {expected}"
    assert list(found.parameters.values()) == values


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("cat", None),
        ("鯨", DAY),
        ("鯨 cat", None),
        ("lang:en has:images", DAY),
        ("cat OR lang:en", DAY),
        ("(cat lang:en) OR #a", None),
        ("cat OR -dog", DAY),
        (f"lang:en from:{ALICE}", None),
        (f"lang:en -from:{ALICE}", DAY),
        ("https://example.com OR domain:example.com OR to:did:plc:a", None),
    ],
)
def test_without_an_index_the_newest_day_is_searched(text: str, since: int | None) -> None:
    assert condition(text).searched_since == (None if since is None else NOW - since)


def test_a_period_moves_that_day_or_makes_it_needless() -> None:
    assert condition("lang:en until:2025-01-02").searched_since == 1_735_689_600_000_000
    assert condition("lang:en until:2035-01-02").searched_since == NOW - DAY
    assert condition("lang:en since:2025-06-15").searched_since is None  # NOW is on that day
    assert condition("lang:en since:2025-06-01").searched_since == NOW - DAY


def test_the_author_of_every_match_is_known() -> None:
    assert condition(f"cat from:{ALICE}").author == ALICE
    assert condition(f"cat OR from:{ALICE}").author is None
    assert condition(f"cat -from:{ALICE}").author is None


def test_a_phrase_asks_for_its_neighbours_too_and_one_with_runs_for_single_characters() -> None:
    plain = condition('"to be or"')
    assert plain.parameters == {"q0": ["to", "be", "or", "~8C55", "~F599"], "q1": " to be or "}
    assert "position(words," in plain.sql
    mixed = condition('"東京 都"')
    assert mixed.parameters == {"q0": ["東京", "京 ", " 都"], "q1": " 東 京   都 "}
    assert "position(atsiteUnitsOfWords(words)," in mixed.sql


def test_a_query_that_only_excludes_is_refused() -> None:
    with pytest.raises(BadQuery, match="only excludes"):
        condition("-cat")
