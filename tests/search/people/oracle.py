"""Who must be found, and in what order: written against the rules, and not with the code, of the search of people.

Words are given by hand beside each name, so that nothing here folds or cuts a text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

FEW = 25
ALPHABETS = (
    set("abcdefghijklmnopqrstuvwxyz0123456789-."),
    set("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў"),
)


@dataclass(frozen=True)
class Name:
    """A display name as it is written, its words, and what of it is written without spaces."""

    written: str
    words: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


NOTHING = Name("")


@dataclass
class Person:
    """What an account has now."""

    did: Did
    handle: str = ""
    name: Name = NOTHING
    active: bool = True
    hidden: bool = False
    followers: int = 0


@dataclass
class Network:
    """All accounts, and who follows and blocks whom."""

    people: dict[Did, Person] = field(default_factory=dict)
    follows: set[tuple[Did, Did]] = field(default_factory=set)
    blocks: set[tuple[Did, Did]] = field(default_factory=set)
    blocked_by_site: set[Did] = field(default_factory=set)

    def found(self, asked: Name, handle: str, viewer: Did | None) -> list[Did]:
        """Everyone whom this query finds, the best first. `handle`: what a handle would begin with, or nothing."""
        closeness = {did: self._closeness(person, asked, handle, viewer) for did, person in self.people.items()}
        exact = [did for did, how in closeness.items() if how == 2]
        near = [did for did, how in closeness.items() if how == 1] if len(exact) < FEW else []
        return self._ordered(exact, viewer) + self._ordered(near, viewer)

    def _ordered(self, dids: list[Did], viewer: Did | None) -> list[Did]:
        def key(did: Did) -> tuple[int, int, str]:
            tier = 0
            if viewer is not None and (viewer, did) in self.follows:
                tier = 2 if (did, viewer) in self.follows else 1
            return -tier, -self.people[did].followers, did

        return sorted(dids, key=key)

    def _closeness(self, person: Person, asked: Name, handle: str, viewer: Did | None) -> int:
        if not person.active or person.did in self.blocked_by_site or (person.hidden and viewer is None):
            return 0
        if viewer is not None and {(viewer, person.did), (person.did, viewer)} & self.blocks:
            return 0
        by_handle = close(handle, person.handle) if handle and person.handle else 0
        each = [max((close(word, has) for has in person.name.words), default=0) for word in asked.words]
        each += [2 if any(run in has for has in person.name.runs) else 0 for run in asked.runs]
        return max(by_handle, min(each, default=0))


def close(word: str, token: str) -> int:
    """2: the token begins with the word; 1: it does after one edit of the word; else 0."""
    if token.startswith(word):
        return 2
    if len(word) < 4:
        return 0
    beginnings, wholes = edits(word, set(token))
    whole = any(token == text or token.startswith(f"{text}.") for text in wholes)
    return int(whole or any(token.startswith(text) for text in beginnings))


def edits(word: str, letters: set[str]) -> tuple[set[str], set[str]]:
    """All words that one edit makes of it, with these letters: as beginnings of tokens, and as whole tokens."""
    known = set(word).union(*(alphabet for alphabet in ALPHABETS if alphabet & set(word)))
    beginnings: set[str] = set()
    wholes: set[str] = set()
    for at, letter in enumerate(word):
        before, after = word[:at], word[at + 1 :]
        into = beginnings if after else wholes
        if letter != after[:1]:  # of two equal letters, the last one is too many
            into.add(before + after)
        into.update(before + other + after for other in letters & known)
        beginnings.update(before + other + word[at:] for other in letters & known)
        if after:
            beginnings.add(before + after[0] + letter + after[1:])
    return beginnings, wholes
