"""The parts of a text that are marked, in bytes of UTF-8."""

from __future__ import annotations

import pytest

from search.posts.highlight import ranges


@pytest.mark.parametrize(
    ("text", "words", "runs", "marked"),
    [
        ("The cat and the Cats", ["cat"], [], ["cat"]),
        ("Café, cafe\u0301 CAFE cafés", ["cafe"], [], ["Café", "cafe\u0301", "CAFE"]),
        ("Straße", ["strasse"], [], ["Straße"]),
        ("ｆｕｌｌ width", ["full"], [], ["ｆｕｌｌ"]),
        ("東京都と京都", [], ["京都"], ["京都", "京都"]),
        ("東京都", [], ["東京", "京都"], ["東京都"]),
        ("one two", ["one", "two"], [], ["one", "two"]),
        ("👍🏽 yes", ["👍"], [], ["👍"]),
        ("a.b (c)", ["b", "c"], [], ["b", "c"]),
        ("", ["a"], [], []),
        ("nothing", [], [], []),
    ],
)
def test_words_are_marked_whole_and_runs_anywhere(
    text: str, words: list[str], runs: list[str], marked: list[str]
) -> None:
    content = text.encode()
    found = [content[start:end].decode() for start, end in ranges(text, words, runs)]
    assert found == marked or [each.rstrip("🏽") for each in found] == marked
