"""Networks of people for tests: events with histories, and what the network is after all of them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from tests.builders import Row, account, ago, block, delete, floor, follow, identity, micros, profile, update
from tests.search.people.oracle import NOTHING, Name, Network, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = 60_000_000
#: Display names as they are written, with the words that they have (docs/decisions/0072-search-text.md), by hand.
HARD_NAMES = (
    Name("Ａlice Ｗonder", ("alice", "wonder")),  # full-width
    Name("ALICE-Jane O’Hara", ("alice", "jane", "o", "hara")),
    Name("José Straße", ("jose", "strasse")),
    Name("Jose\u0301 \ufb01ne", ("jose", "fine")),  # a combining mark, a ligature
    Name("🦋 kali 🦋", ("🦋", "kali")),
    Name("山田太郎 Taro", ("taro",), ("山田太郎",)),
    Name("さくら", (), ("さくら",)),
    Name("김민준", (), ("김민준",)),
    Name("محمد علي", ("محمد", "علي")),  # right to left
    Name("\u202eilak\u202c", ("ilak",)),  # marks of direction
    Name("Иван Петров", ("иван", "петров")),
    Name("C++ Karl", ("c＋＋", "karl")),
    Name("…", ()),
    Name("   ", ()),
    Name("İstanbul ™ Kalle", ("istanbul", "kalle")),
    Name("kali" * 12, (("kali" * 12)[:32],)),
)
SYLLABLES = ("ka", "li", "mo", "an", "e", "to")
LABEL = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}, {"val": 7}]}


def person_did(number: int) -> Did:
    return Did(
        f"did:plc:{'p' * 20}{number:04d}".replace("0", "a").replace("1", "b").replace("8", "c").replace("9", "d")
    )


def some_name(rng: random.Random) -> Name:
    """A display name; names share beginnings, so that queries find many and near ones."""
    if rng.random() < 0.15:
        return NOTHING
    if rng.random() < 0.3:
        return rng.choice(HARD_NAMES)
    words = tuple(dict.fromkeys(some_word(rng) for _ in range(rng.randint(1, 3))))
    written = [word.upper() if rng.random() < 0.3 else word for word in words]
    return Name(rng.choice((" ", " - ", ", ", "  ")).join(written), words)


def some_word(rng: random.Random) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4)))


def some_handle(rng: random.Random) -> str:
    return f"{some_word(rng)}{rng.choice(('', '-', ''))}{some_word(rng)}{rng.randint(0, 9)}.example.com"


class World:
    """Events of some accounts, in no order; `network` is what they add up to."""

    def __init__(self, seed: int, size: int) -> None:
        self.rng = random.Random(seed)
        self.network = Network()
        self.rows: list[Row] = []
        self.dids = [person_did(number) for number in range(size)]
        self.start = micros(ago(days=2))
        for did in self.dids:
            self._live(did)
        self._take_handles()
        self._meet()

    def shuffled(self) -> Sequence[Row]:
        """All rows in another order, some of them twice."""
        rows = self.rows + self.rng.sample(self.rows, len(self.rows) // 5)
        self.rng.shuffle(rows)
        return rows

    def _live(self, did: Did) -> None:
        rng, at = self.rng, self.start + self.rng.randint(0, MINUTE)
        person = self.network.people[did] = Person(did)
        for step in range(rng.randint(0, 2)):
            person.handle = some_handle(rng)
            self.rows.append(identity(did, person.handle, at=at + step * MINUTE))
        if rng.random() < 0.9:
            self._write_profile(person, at)
        if rng.random() < 0.2:
            person.active = rng.random() < 0.5
            self.rows.append(account(did, active=not person.active, status="", at=at))
            self.rows.append(account(did, active=person.active, status="", at=at + MINUTE))
        if rng.random() < 0.08:  # deleted, and did not return
            self.rows.append(floor(did, at=at + 60 * MINUTE))
            person.handle, person.name, person.hidden = "", NOTHING, False
        elif rng.random() < 0.08:  # the repo started over: the handle stays
            self.rows.append(floor(did, at=at + 60 * MINUTE, reason="a new repo"))
            person.name, person.hidden = NOTHING, False

    def _write_profile(self, person: Person, at: int) -> None:
        rng = self.rng
        person.name = some_name(rng)
        written = profile(person.did, at=at, name=person.name.written)
        self.rows.append(written)
        for step in range(1, rng.randint(1, 3)):
            person.name, person.hidden = some_name(rng), rng.random() < 0.2
            labels = {"labels": LABEL} if person.hidden else {}
            written = update(written, at=at + step * MINUTE, displayName=person.name.written, **labels)
            if not person.hidden and written.record is not None:
                written = replace(written, record={k: v for k, v in written.record.items() if k != "labels"})
            self.rows.append(written)
        if rng.random() < 0.05:
            self.rows.append(delete(written, at=at + 9 * MINUTE))
            person.name, person.hidden = NOTHING, False

    def _take_handles(self) -> None:
        """Some take a handle that another one has: the younger word counts."""
        having = [did for did in self.dids if self.network.people[did].handle]
        for loser, winner in zip(having[::9], having[1::9], strict=False):
            handle = self.network.people[loser].handle
            self.rows.append(identity(winner, handle, at=self.start + 30 * MINUTE))
            self.network.people[winner].handle, self.network.people[loser].handle = handle, ""

    def _meet(self) -> None:
        rng, dids, at = self.rng, self.dids, self.start
        pairs = {(rng.choice(dids), rng.choice(dids)) for _ in range(6 * len(dids))}
        for one, other in sorted(pairs):
            if one == other:
                continue
            made = follow(one, other, at=at + rng.randint(0, MINUTE))
            self.rows.append(made)
            if rng.random() < 0.15:
                self.rows.append(delete(made, at=at + 2 * MINUTE))
            else:
                self.network.follows.add((one, other))
                self.network.people[other].followers += 1
        for one, other in sorted({(rng.choice(dids), rng.choice(dids)) for _ in range(len(dids))}):
            blocked = block(one, other, at=at + rng.randint(0, MINUTE))
            self.rows.append(blocked)
            if rng.random() < 0.3:
                self.rows.append(delete(blocked, at=at + 2 * MINUTE))
            else:
                self.network.blocks.add((one, other))
        told = {did: rng.randint(50, 90) for did in dids if rng.random() < 0.2}
        columns: dict[str, list[object]] = {
            "did": list(told), "followers": list(told.values()), "version": [at] * len(told),
        }  # fmt: skip
        door.insert("actor_counts", columns, name="tests.counts")
        for did, count in told.items():
            self.network.people[did].followers = max(count, self.network.people[did].followers)


def some_query(rng: random.Random, network: Network) -> tuple[str, Name, str]:
    """A query as it is typed, its words, and what a handle would begin with."""
    person = rng.choice(list(network.people.values()))
    kind = rng.random()
    if kind < 0.3 and person.handle:
        handle = person.handle[: rng.randint(1, len(person.handle))].rstrip("-.") or "k"
        handle = misspelt(rng, handle) if rng.random() < 0.4 else handle
        words = tuple(dict.fromkeys(word for word in handle.replace("-", ".").split(".") if word))
        return f"{'@' if rng.random() < 0.3 else ''}{handle}", Name(handle, words), handle
    if person.name.runs and kind < 0.5:
        run = person.name.runs[0]
        start = rng.randrange(len(run))
        part = run[start : start + rng.randint(1, 3)]
        return part, Name(part, (), (part,)), ""
    known = list(person.name.words) or [some_word(rng)]
    chosen = rng.sample(known, min(len(known), rng.randint(1, 2)))
    typed = [word if "＋" in word else word[: rng.randint(1, len(word))] for word in chosen]
    typed = [misspelt(rng, word) if rng.random() < 0.4 and word.isalpha() else word for word in typed]
    typed = list(dict.fromkeys(typed))
    text = " ".join(word.replace("c＋＋", "c++") for word in typed)
    shown = text.upper() if rng.random() < 0.2 and text.isascii() else text
    is_handle = len(typed) == 1 and text.isascii() and text.replace("-", "").replace(".", "").isalnum()
    return shown, Name(text, tuple(typed)), text if is_handle else ""


def misspelt(rng: random.Random, word: str) -> str:
    """The word after one edit, if it has four letters."""
    if len(word) < 4 or not word.isascii():
        return word
    at = rng.randrange(1, len(word) - 1)
    letter = rng.choice("klmoeatx")
    return rng.choice((
        word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :], word[:at] + letter + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ))  # fmt: skip
