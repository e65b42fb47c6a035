"""What is asked of a search of people, and whether an account's names answer it. Pure.

A query matches an account whose handle begins with it, or each of whose words begins a word of its display name. A word
of four letters and more may be one edit apart: one letter too many, too few, or another one, or two neighbours in the
wrong order. Where the edit is at the last letter, the word must be whole: `alicx` is no `alicia`, but may be `alice`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Letters from which on a word may be misspelt.
FUZZY_FROM: Final = 4
#: Letters that the two first parts of the key of people_tokens have.
HEAD, LONG_HEAD = 4, 6
#: As the store cuts the words of names (atsiteNameWords, atsiteNameTokens).
WORD_MAX: Final = 32
#: The longest handle (atproto.com/specs/handle).
HANDLE_MAX: Final = 253
#: The letters that may be missing or be put right: those of the alphabets in which the word has letters.
ALPHABETS: Final = (
    "abcdefghijklmnopqrstuvwxyz0123456789-.",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
    "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ",
    "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
    "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهويىپچژکگی",
)
_HANDLE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")


class Closeness(IntEnum):
    """How well a name answers; more is better."""

    NONE = 0
    ONE_EDIT = 1
    BEGINS = 2


@dataclass(frozen=True)
class Asked:
    """A query, folded and cut by the store.

    `words`: those of scripts with spaces. `runs`: what is written without spaces (Han, kana, …), which is looked for
    anywhere in a run of the name. `handle`: the whole query, if a handle can begin with it, else empty.
    """

    words: tuple[str, ...]
    runs: tuple[str, ...]
    handle: str

    @classmethod
    def of(cls, folded: str, words: Sequence[str], runs: Sequence[str]) -> Asked:
        """From what the store made of a query."""
        text = folded.strip().removeprefix("@")
        return cls(
            tuple(dict.fromkeys(word[:WORD_MAX] for word in words)),
            tuple(dict.fromkeys(run[:WORD_MAX] for run in runs)),
            text if len(text) <= HANDLE_MAX and _HANDLE.fullmatch(text) else "",
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.words or self.runs or self.handle)

    @cached_property
    def driver(self) -> str:
        """The word by which names are looked up: the longest, which the fewest share."""
        return max((*self.words, *self.runs), key=len, default="")

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The beginnings of tokens to look up; each account that matches has a token that begins with one of them."""
        return tuple(dict.fromkeys(prefix for prefix in (self.driver, self.handle) if prefix))

    @property
    def other_words(self) -> tuple[str, ...]:
        """The words beside the driver."""
        return tuple(word for word in self.words if word != self.driver)

    @property
    def other_runs(self) -> tuple[str, ...]:
        """The runs beside the driver."""
        return tuple(run for run in self.runs if run != self.driver)

    @property
    def misspelt(self) -> tuple[str, ...]:
        """Those of the prefixes that are also looked for one edit apart."""
        return tuple(text for text in self.prefixes if len(text) >= FUZZY_FROM and text not in self.runs)

    def closeness(self, name_words: str, handle: str) -> Closeness:
        """How well an account answers: `name_words` as people_facts has them, `handle` the one that is its own now."""
        found = _close(self.handle, handle) if self.handle and handle else Closeness.NONE
        return found if found is Closeness.BEGINS else max(found, self._of_name(name_words))

    def _of_name(self, name_words: str) -> Closeness:
        if not self.words and not self.runs:
            return Closeness.NONE
        known = name_words.split(" ")
        found = [max(_close(word, has) for has in known) for word in self.words]
        found += [Closeness.BEGINS if any(run in has for has in known) else Closeness.NONE for run in self.runs]
        return min(found)


def close_to(word: str) -> str:
    """A regular expression for what begins with `word` after at most one edit; put `^`, or a space, before it."""
    forms = [re.escape(word)]
    for at, letter in enumerate(word):
        before, rest, last = re.escape(word[:at]), re.escape(word[at + 1 :]), at + 1 == len(word)
        end = "(?:$|[ .])" if last else ""
        forms += [f"{before}.{rest}{end}", f"{before}{rest}{end}", f"{before}.{re.escape(word[at:])}"]
        if not last:
            forms.append(f"{before}{re.escape(word[at + 1] + letter + word[at + 2 :])}")
    return f"(?:{'|'.join(dict.fromkeys(forms))})"


def near(word: str, length: int) -> tuple[str, ...]:
    """The first `length` letters of what begins with `word` after at most one edit; the word has at least as many.

    Shorter ones are whole tokens.
    """
    letters = letters_for(word)
    return tuple(sorted({start[:length] for start in _near(word[: length + 1], letters, length)} | {word[:length]}))


def letters_for(word: str) -> str:
    """The letters that may be put into the word, or in the place of one of its letters."""
    known = "".join(alphabet for alphabet in ALPHABETS if not set(alphabet).isdisjoint(word))
    return "".join(dict.fromkeys(known + word))


def _near(start: str, letters: str, length: int) -> Iterator[str]:
    for at in range(length):
        before, letter, rest = start[:at], start[at], start[at + 1 :]
        shorter = before + rest
        yield shorter
        if len(shorter) < length:
            yield from (shorter + more for more in letters)
        if rest:
            yield before + rest[0] + letter + rest[1:]
        for other in letters:
            yield before + other + rest
            yield before + other + start[at:]


def _close(word: str, token: str) -> Closeness:
    if token.startswith(word):
        return Closeness.BEGINS
    return Closeness.ONE_EDIT if len(word) >= FUZZY_FROM and _differs_by_one(word, token) else Closeness.NONE


def _differs_by_one(word: str, token: str) -> bool:
    """Whether one edit, at the first letter in which they differ, makes the word a beginning of the token."""
    at = next(at for at, letter in enumerate(word) if token[at : at + 1] != letter)
    rest, found = word[at + 1 :], token[at : at + 1]
    put_in = found in letters_for(word)
    if put_in and token.startswith(word[at:], at + 1):
        return True
    if not rest:
        return found in ("", ".") or (put_in and token[at + 1 : at + 2] in ("", "."))
    swapped = rest[0] + word[at] + rest[1:]
    return token.startswith(rest, at) or token.startswith(swapped, at) or (put_in and token.startswith(rest, at + 1))
