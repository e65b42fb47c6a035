"""Conditions: constants in the statement, strangers' values in the parameters."""

from __future__ import annotations

import pytest

from atsite.core.atproto.tid import tid_of_micros
from search.posts import conditions as conditions
from search.posts.conditions import Filters, Query, Where, where
from tests.builders import ALICE

DAY = 24 * 3600 * 1_000_000
NOW = 1_750_000_000_000_000
NOTHING = Filters()
WORD = Query(("hello", "world"))
PART = Query(("tower", "東京", "京都"), ("東京都",))
CHARACTER = Query(parts=("鯨",))


@pytest.mark.parametrize(
    ("query", "filters", "sql", "parameters", "keys_first"),
    [
        (WORD, NOTHING, [conditions.TOKENS], {"tokens": ["hello", "world"]}, True),
        (
            PART,
            NOTHING,
            [conditions.TOKENS, conditions.PARTS],
            {"tokens": ["tower", "東京", "京都"], "parts": ["東京都"]},
            False,
        ),
        (
            CHARACTER,
            NOTHING,
            [conditions.PARTS, conditions.UNINDEXED],
            {"parts": ["鯨"], "unindexed_rkey": tid_of_micros(NOW - DAY)},
            False,
        ),
        (
            CHARACTER,
            Filters(until=NOW - 3 * DAY),
            [conditions.PARTS, conditions.UNTIL, conditions.UNINDEXED],
            {
                "parts": ["鯨"],
                "until": NOW - 3 * DAY,
                "until_rkey": tid_of_micros(NOW - 2 * DAY),
                "unindexed_rkey": tid_of_micros(NOW - 4 * DAY),
            },
            False,
        ),
        (
            CHARACTER,
            Filters(author=ALICE),
            [conditions.PARTS, conditions.AUTHOR],
            {"parts": ["鯨"], "author": ALICE},
            False,
        ),
        (
            WORD,
            Filters(lang="pt-BR", author=ALICE, since=-5, until=1 << 62),
            [conditions.TOKENS, conditions.LANG, conditions.AUTHOR, conditions.SINCE, conditions.UNTIL],
            {
                "tokens": ["hello", "world"],
                "lang": "pt-BR",
                "author": ALICE,
                "since": -5,
                "since_rkey": "2222222222222",
                "until": 1 << 62,
                "until_rkey": tid_of_micros((1 << 53) - 1),
            },
            False,
        ),
    ],
)
def test_each_condition_comes_with_its_parameters(
    query: Query, filters: Filters, sql: list[str], parameters: dict[str, object], keys_first: bool
) -> None:
    expected = Where(" AND ".join([conditions.ELIGIBLE, *sql]), parameters, keys_first)

    assert where(query, filters, now=NOW) == expected
