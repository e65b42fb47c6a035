"""Words of a query: tokens of the index, and parts that the index does not prove."""

from __future__ import annotations

import re
import unicodedata
from random import Random
from typing import Any, Final, NamedTuple

import pytest

from atsite.core.clickhouse import door
from indexer.index.query.conditions import PAIRS_MAX, where
from indexer.index.query.cutting import _PLAIN, cut_by_store, plain_cut
from indexer.index.query.parse import TERMS_MAX, BadQuery
from indexer.index.query.resolve import resolve
from indexer.index.query.resolved import Cut
from indexer.index.query.tree import Word

pytestmark = pytest.mark.usefixtures("django_db_setup")

#: Characters of many kinds: letters whose fold is longer or depends on neighbours, marks, scripts that mix, separators.
ODD: Final = [
    *"aZ09 _-'\"\\%.\0\n\x7f", *"éÉßẞİIıσςΣǅﬁ", *"дД", *"東京スーパ・ー、。「　한국ไทยｱ々〇", *"😀🗼👍🏽",
    "\u0301", "\u200b", "\u200c", "\u200d", "\u00ad", "\u00a0", "\ufeff", "\u202e", "\ufffd", "\ufe0f", "ﷺ", "½", "™",
]  # fmt: skip


#: The characters of unspaced scripts that are cut without the store: kana, Han, Hangul.
UNSPACED: Final = [(0x3041, 0x3096), (0x30A1, 0x30FA), (0x30FC, 0x30FC), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3)]


class Query(NamedTuple):
    """What a word asks of a text: these tokens of the index, and these parts anywhere in it."""

    tokens: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def parse(text: str) -> Query:
    """A text that is one word of a query, whatever is in it."""
    found = where(resolve(Word(text)), now=0)
    functions = re.findall(r"(hasAll|multiSearchAllPositions)\(", found.sql)
    values: dict[str, Any] = dict(zip(functions, found.parameters.values(), strict=False))
    return Query(tuple(values.get("hasAll", ())), tuple(values.get("multiSearchAllPositions", ())))


#: The tokens of the index, without those of neighbours.
TOKENS: Final = "arrayFilter(token -> token NOT LIKE '~%', atsiteWordTokens(atsiteWordsInOrder(text)))"


def tokens(*texts: str) -> list[list[str]]:
    """The tokens of each text, as the index has them."""
    return door.column(
        f"SELECT {TOKENS} FROM (SELECT arrayJoin({{texts:Array(String)}}) AS text)",
        {"texts": list(texts)},
        name="tests.tokens",
    )


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("hello", Query(("hello",))),
        ("Hello, WORLD!", Query(("hello", "world"))),
        ("b a b", Query(("b", "a"))),
        ("don't", Query(("don", "t"))),
        ("don’t", Query(("don", "t"))),
        ("don´t", Query(("don", "t"))),
        ("п'ять п’ять пʼять", Query(("п", "ять"))),
        ("①First 1½ №5 20℃ 20°C", Query(("1", "first", "2", "no", "5", "20", "°", "c"))),
        ("ÉTÉ Привет мой ёж", Query(("ete", "привет", "мой", "ёж"))),
        ("#cats @alice.test", Query(("cats", "alice", "test"))),
        ("snake_case", Query(("snake", "case"))),
        ("שלום عالم", Query(("שלום", "عالم"))),
        ("Straße STRASSE ΣΑΣ σας", Query(("strasse", "σασ"))),
        ("İstanbul", Query(("istanbul",))),
        ("ﬁne x² Ⅳ", Query(("fine", "x2", "iv"))),
        ("C++ C# f# c abc#d", Query(("c＋＋", "c＃", "f＃", "c", "abc", "d"))),
        ("😀", Query(("😀",))),
        ("👍🏽❤️👍", Query(("👍", "❤"))),
        ("👩‍🚀", Query(("👩", "🚀"))),
        ("🇩🇪🇫🇷", Query(("🇩🇪", "🇫🇷"))),
        ("東京", Query(("東京",))),
        ("東京都", Query(("東京", "京都"), ("東京都",))),
        ("東京タワー tower", Query(("tower", "東京", "京タ", "タワ", "ワー"), ("東京タワー",))),
        ("東京TOWER", Query(("tower", "東京"))),
        ("東京　大阪、「名古屋」", Query(("東京", "大阪", "名古", "古屋"), ("名古屋",))),
        ("ｶﾊﾞﾝ", Query(("カバ", "バン"), ("カバン",))),
        ("한국어 공부", Query(("한국", "국어", "공부"), ("한국어",))),
        ("สวัสดี", Query(("สว", "วั", "ัส", "สด", "ดี"), ("สวัสดี",))),
        ("鯨", Query((), ("鯨",))),
        ("'; DROP TABLE posts --", Query(("drop", "table", "posts"))),
    ],
)
def test_a_text_becomes_tokens_and_parts(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    "text", ["", " ", "!?", "´", "\u0301", "\0", "%_\\'\"", "\t\n", "…—“”", "\u200b\u00ad", "、。", "＊＊"]
)
def test_a_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="there is no word in the query"):
        parse(text)


def test_a_text_of_too_many_words_is_refused() -> None:
    assert len(parse(" ".join(f"w{number}" for number in range(TERMS_MAX))).tokens) == TERMS_MAX
    with pytest.raises(BadQuery, match="the query has 65 words, at most 64 are searched for"):
        parse(" ".join(f"w{number}" for number in range(TERMS_MAX + 1)))


def test_pairs_are_bounded_and_the_rest_is_compared_as_text() -> None:
    long, short = "".join(chr(0x4E00 + number) for number in range(300)), "\u9000\u9001"

    query = parse(f"{long} {short}")

    assert len(query.tokens) == PAIRS_MAX
    assert query.parts == (long, short)


# Each ends a word, of a real post or of one that could be.
SEPARATORS: Final = [
    *"’‘“”„…—–−«»‹›•·、。「」！？，：（）", *"\u00a0\u200b\u202f\u2003\u2028\u3000\u3164",
    *"😀❤🗼©®™℠→★", "❤️", "👍🏽", "\ufe0f\u20e3",
    *" \t\n.,;:!?'\"()[]{}<>/\\|@#$%^&*+=~`_-", "東京", "한국", "ไทย",
    *"´¨¯˜¸‗‾΄゛゜\uffa0", *"ʼʻʽʹˊˋꞌ", *"①⑳❶➀⓪½⅓№℡℃", "-\u0301", "東\u0301", "…\u0301",
]  # fmt: skip


def test_a_word_is_found_beside_whatever_separates() -> None:
    for separator, (beside, alone) in zip(
        SEPARATORS,
        zip(
            tokens(*(f"narwhal{separator}Été" for separator in SEPARATORS)),
            tokens(*(f"{separator}narwhal{separator}" for separator in SEPARATORS)),
            strict=True,
        ),
        strict=True,
    ):
        assert {"narwhal", "ete"} <= set(beside), separator
        assert "narwhal" in alone, separator


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d", "\u00ad", "\ufe0f", "\u202a", "\ufeff", "\u2060"])
def test_what_is_not_seen_and_does_not_separate_is_ignored(joiner: str) -> None:
    assert tokens(f"می{joiner}خواهم", f"so{joiner}ft") == [["میخواهم"], ["soft"]]


def test_a_text_in_any_unicode_form_and_case_has_the_same_tokens() -> None:
    random = Random(7)
    texts = ["".join(random.choices(ODD, k=random.randint(0, 12))) for _ in range(5_000)]
    # A dotless i has no fold that its capital has.
    texts = [text.replace("ı", "i").replace("İ", "I") for text in texts]

    folded = tokens(*texts)

    assert folded == tokens(*(unicodedata.normalize("NFD", text) for text in texts))
    assert folded == tokens(*(unicodedata.normalize("NFC", text) for text in texts))
    assert folded == tokens(*(text.upper().lower() for text in texts))


def test_text_that_is_no_unicode_makes_no_error() -> None:
    """The index is made inside the insert: an error there would stop the indexer."""
    odd = door.column(
        f"SELECT {TOKENS} FROM (SELECT arrayJoin([unhex('61FF'), unhex('EDA080'), 'b', repeat('ﷺ', 100000)]) AS text)",
        name="tests.tokens",
    )

    assert [row[:1] for row in odd[:3]] == [["a"], ["\ufffd"], ["b"]]
    assert odd[3] != []


@pytest.mark.parametrize(
    ("tag", "compared"),
    [
        ("pt", "pt"), ("PT", "pt"), ("por", "pt"), ("pt_BR", "pt-br"), ("POR-br", "pt-br"),
        ("zho-Hant-TW", "zh-hant-tw"), ("chi", "zh"),
        ("ger", "de"), ("deu", "de"), ("iw", "he"), ("in", "id"), ("fil", "fil"), ("x", "x"), ("", ""),
    ],
)  # fmt: skip
def test_a_language_has_one_code(tag: str, compared: str) -> None:
    assert door.scalar("SELECT atsiteLanguage({tag:String})", {"tag": tag}, name="tests.language") == compared


def test_the_short_way_to_the_words_of_a_text_in_ascii_is_the_long_one() -> None:
    random = Random(3)
    texts = ["".join(chr(random.randrange(128)) for _ in range(random.randrange(40))) for _ in range(2_000)]
    texts += ["C++ and C#, snake_case; don't", ""]
    # What is not ASCII takes the long way, and is a word of its own at the end.
    both = door.column(
        "SELECT [atsiteWordsInOrder(text), atsiteWordsInOrder(concat(text, ' é'))]"
        " FROM (SELECT arrayJoin({texts:Array(String)}) AS text)",
        {"texts": texts},
        name="tests.words",
    )
    assert [short.split() for short, _ in both] == [long.split()[:-1] for _, long in both]
    assert len(both) == len(texts)


def test_words_in_order_are_those_that_the_index_has_and_their_neighbours() -> None:
    random = Random(9)
    texts = ["".join(random.choices(ODD, k=random.randint(0, 30))) for _ in range(2_000)]
    rows = door.column(
        "SELECT tuple(atsiteSpacedWords(atsiteSearchText(text)), atsiteUnspacedRuns(atsiteSearchText(text)),"
        " atsiteSpacedOfWords(words), atsiteUnspacedRuns(words), atsiteNeighbours(words), words)"
        " FROM (SELECT arrayJoin({texts:Array(String)}) AS text, atsiteWordsInOrder(text) AS words)",
        {"texts": texts},
        name="tests.words",
    )
    for spaced, runs, spaced_again, runs_again, neighbours, words in rows:
        assert (spaced, runs) == (spaced_again, runs_again)
        cut = Cut("", "", words=[], runs=[], pairs=[], units=words, tag="")
        assert cut.neighbours == neighbours
    assert sum(len(row[4]) for row in rows) > 1_000


def test_plain_words_are_cut_here_as_the_store_cuts_them() -> None:
    random = Random(5)
    letters = "abcXYZ019.@- 東京都的ーあゖんァヺ가힣\u4e00\u9fff"
    texts = ["cat", "C", "Big Cat", "a A a", "007", "W3"]
    texts += [" ".join("".join(random.choices(letters, k=random.randint(1, 6))) for _ in range(4)) for _ in range(500)]
    texts += ["", " ", "...", "-x", "@alice.example.com ", "a  b", "東京タワー tower", "東", "한국어 공부"]
    texts += [chr(code) for low, high in UNSPACED for code in range(low, high + 1)]
    assert all(_PLAIN.fullmatch(text) for text in texts)
    rows = cut_by_store(set(texts))
    assert {row.text: row for row in rows} == {text: plain_cut(text) for text in texts}
