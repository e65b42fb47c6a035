"""What a query means: words, parts, pairs; and that tokens and pairs are those of the engine's own indexes."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.clickhouse import door
from search.posts.language import PAIRS_MAX, TERMS_MAX, BadQuery, Query, parse, tokens
from search.posts.unspaced_scripts import has_unspaced, pairs

UNSPACED: Final = r"[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Thai}]"
# A line each, as the small form of some letters depends on the neighbours.
EVERY_CHARACTER: Final = "\n".join(chr(point) for point in range(1, 0x110000) if not 0xD800 <= point < 0xE000)

# Letters whose lower case is longer, shorter or depends on the neighbours; separators of many kinds; scripts that mix.
NASTY: Final = [
    *"aZ09 _-'\"\\%.\0\n\x7f", *"éÉßẞİIıσςΣǅﬁ", *"דД", *"東京スーパ・ー、。「　한국ไทยｱ々〇", *"😀🗼",
    "\u0301", "\u200d", "\u00a0", "\ufeff", "\u202e", "\ufffd",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("hello", Query(words=("hello",))),
        ("Hello, WORLD!", Query(words=("hello", "world"))),
        ("b a b", Query(words=("b", "a"))),
        ("don't", Query(words=("don", "t"))),
        ("ÉTÉ Привет", Query(words=("été", "привет"))),
        ("#cats @alice.test", Query(words=("cats", "alice", "test"))),
        ("שלום عالم", Query(words=("שלום", "عالم"))),
        ("😀", Query(words=("😀",))),
        ("東京", Query(parts=("東京",))),
        ("東京タワー tower", Query(words=("tower",), parts=("東京タワー",))),
        ("東京TOWER", Query(parts=("東京tower",))),
        ("東京　大阪、名古屋", Query(parts=("東京", "大阪", "名古屋"))),
        ("「東京」été", Query(parts=("東京", "été"))),
        ("ジョン・レノン", Query(parts=("ジョン", "レノン"))),
        ("한국어 공부", Query(parts=("한국어", "공부"))),
        ("สวัสดี", Query(parts=("สวัสดี",))),
        ("鯨", Query(parts=("鯨",))),
        ("'; DROP TABLE posts --", Query(words=("drop", "table", "posts"))),
    ],
)
def test_a_text_becomes_words_and_parts(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize("text", ["", " ", "!?", "\0", "%_\\'\"", "\t\n"])
def test_a_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="there is no word in the query"):
        parse(text)


def test_a_text_of_too_many_words_is_refused() -> None:
    assert len(parse(" ".join(f"w{number}" for number in range(TERMS_MAX))).words) == TERMS_MAX
    with pytest.raises(BadQuery, match="the query has 65 words, at most 64 are searched for"):
        parse(" ".join(f"w{number}" for number in range(TERMS_MAX + 1)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京", ("東京",)),
        ("東京タワー", ("東京", "京タ", "タワ")),
        ("東a京", ("東京",)),
        ("鯨", ()),
        ("東京 東京都", ("東京", "京都")),
        ("東京 hello", ("東京",)),
    ],
)
def test_pairs_are_neighbours_of_the_unspaced_characters(text: str, expected: tuple[str, ...]) -> None:
    assert parse(text).pairs == expected


def test_pairs_are_bounded() -> None:
    assert len(parse("".join(chr(0x4E00 + number) for number in range(300))).pairs) == PAIRS_MAX


@pytest.mark.parametrize(("text", "indexed"), [("hello", True), ("東京", True), ("鯨", False), ("鯨 hello", True)])
def test_a_query_knows_whether_an_index_serves_it(text: str, indexed: bool) -> None:
    assert parse(text).indexed is indexed


@given(st.text(st.sampled_from(NASTY), max_size=40) | st.text(max_size=40))
def test_parsing_never_fails_otherwise_and_keeps_the_bounds(text: str) -> None:
    try:
        query = parse(text)
    except BadQuery:
        return
    assert 0 < len(query.words) + len(query.parts) <= TERMS_MAX
    assert all(query.words)
    assert all(query.parts)
    assert set(query.words) <= set(tokens(text))
    assert not any(map(has_unspaced, query.words))


def of_engine(expression: str, texts: list[str]) -> list[Any]:
    """`expression` of each `text`, computed by ClickHouse."""
    return door.column(
        f"SELECT {expression} FROM (SELECT arrayJoin({{texts:Array(String)}}) AS text)",
        {"texts": texts},
        name="tests.of_engine",
    )


def test_tokens_are_those_of_the_engine(django_db_setup: None) -> None:
    random = Random(7)
    texts = ["".join(random.choices(NASTY, k=random.randint(0, 12))) for _ in range(20_000)]
    texts += ["".join(pair) for pair in product(NASTY, repeat=2)]

    assert [tokens(text) for text in texts] == of_engine("tokens(lowerUTF8(text), 'splitByNonAlpha')", texts)


def test_a_letter_that_this_python_has_no_small_form_of_is_lowered_by_the_engine(django_db_setup: None) -> None:
    """Unicode grows: the engine knows letters that Python 3.11 does not. The statement lowers once more."""
    (lowered,) = of_engine("lowerUTF8(text)", [EVERY_CHARACTER])

    assert of_engine("lowerUTF8(text)", [EVERY_CHARACTER.lower()]) == [lowered]


def test_unspaced_characters_are_those_of_the_engine(django_db_setup: None) -> None:
    (unspaced,) = of_engine(f"extractAll(text, '{UNSPACED}')", [EVERY_CHARACTER])

    assert [character for character in EVERY_CHARACTER if has_unspaced(character)] == unspaced
    assert "".join(unspaced).lower() == "".join(unspaced)


def test_pairs_are_those_of_the_engine(django_db_setup: None) -> None:
    random = Random(8)
    texts = ["".join(random.choices(NASTY, k=random.randint(0, 12))) for _ in range(5_000)]
    expression = f"ngrams(replaceRegexpAll(text, '{UNSPACED.replace('[', '[^')}+', ''), 2)"

    assert [pairs(text) for text in texts] == of_engine(expression, texts)
