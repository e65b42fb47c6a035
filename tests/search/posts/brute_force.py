"""Search by looking at every post: written from the description of the query language, without its modules.

A made query is a text and a function that says whether a post matches it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.rows import Record

UNSPACED = ("CJK UNIFIED", "HIRAGANA", "KATAKANA", "HANGUL", "THAI ", "LAO ", "KHMER ", "MYANMAR ")


def folded(text: str) -> str:
    """Case, width and Unicode form do not matter; Latin and Greek letters lose their accents."""
    plain = ""
    for letter in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold()):
        marks = "\u0300" <= letter <= "\u036f"
        if marks and plain and unicodedata.name(plain[-1], "").startswith(("LATIN", "GREEK")):
            continue
        plain += letter
    return unicodedata.normalize("NFC", "".join(each for each in plain if each not in "\ufe0f\u200c\u200d"))


def units(text: str) -> list[str]:
    """The words of a text in order, each character of an unspaced script and each emoji for itself."""
    found: list[str] = []
    word = ""
    for letter in folded(text).replace("c++", " cplusplus ").replace("c#", " csharp "):
        kind = unicodedata.category(letter)
        if kind == "Mn" and not word:  # a mark on nothing
            continue
        alone = kind == "So" or is_unspaced(letter)
        if alone or kind[0] not in "LNM":
            found += filter(None, [word, letter if alone else ""])
            word = ""
        else:
            word += letter
    return [*found, *filter(None, [word])]


def is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(UNSPACED) or letter == "ー"


def has_word(text: str, wanted: str) -> bool:
    """Every word of `wanted` is a word of the text, and every run of an unspaced script is somewhere in it."""
    there = units(text)
    words = [unit for unit in units(wanted) if not is_unspaced(unit[0])]
    runs = "".join(letter if is_unspaced(letter) else " " for letter in folded(wanted)).split()
    return all(word in there for word in words) and all(run in folded(text) for run in runs)


def has_phrase(text: str, wanted: str) -> bool:
    there, asked = units(text), units(wanted)
    return any(there[at : at + len(asked)] == asked for at in range(len(there)))


@dataclass(frozen=True)
class Made:
    """A query, and whether a post matches. `positive`: it asks for something; `indexed`: every branch can be pruned."""

    text: str
    matches: Callable[[Record], bool] = field(compare=False)
    positive: bool = True
    indexed: bool = True


def value(row: Record, *path: str, default: object = None) -> object:
    found: object = row.record
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return default if found is None else found


def features(row: Record, kind: str) -> list[str]:
    facets = value(row, "facets", default=[])
    assert isinstance(facets, list)
    return [feature[kind] for facet in facets for feature in facet["features"] if kind in feature]


def link_of(row: Record) -> str:
    found = value(row, "embed", "external", "uri") or value(row, "embed", "media", "external", "uri") or ""
    return str(found)


def images_of(row: Record) -> list[dict[str, str]]:
    found = value(row, "embed", "images") or value(row, "embed", "media", "images") or []
    assert isinstance(found, list)
    return found


def has_video(row: Record) -> bool:
    kinds = (value(row, "embed", "$type"), value(row, "embed", "media", "$type"))
    return "app.bsky.embed.video" in kinds


def parent(row: Record) -> str:
    return str(value(row, "reply", "parent", "uri", default=""))


def is_quote(row: Record) -> bool:
    return value(row, "embed", "record") is not None


def text_of(row: Record) -> str:
    return str(value(row, "text"))


def speaks(row: Record, language: str) -> bool:
    langs = value(row, "langs", default=[])
    assert isinstance(langs, list)
    return any(f"{lang.lower()}-".startswith(f"{language}-") for lang in langs)


def created(row: Record) -> datetime:
    return datetime.fromisoformat(str(value(row, "createdAt")))


def word(text: str) -> Made:
    pruned = len(units(text)) > 1 or not is_unspaced(text[0])
    return Made(text, lambda row: has_word(text_of(row), text), indexed=pruned)


def phrase(text: str) -> Made:
    return Made(f'"{text}"', lambda row: has_phrase(text_of(row), text))


def tag(name: str) -> Made:
    def matches(row: Record) -> bool:
        plain = unicodedata.normalize("NFKC", name).casefold()
        return plain in [unicodedata.normalize("NFKC", each).casefold() for each in features(row, "tag")]

    return Made(f'tag:"{name}"' if " " in name else f"#{name}", matches)


def account(did: str, kind: str) -> Made:
    checks: dict[str, Callable[[Record], bool]] = {
        "from": lambda row: row.did == did,
        "mentions": lambda row: did in features(row, "did"),
        "to": lambda row: did in features(row, "did") or parent(row).startswith(f"at://{did}/"),
    }
    return Made(f"{kind}:{did}", checks[kind])


def link(address: str) -> Made:
    def plain(text: str) -> str:
        return re.sub(r"^https?://(www\.)?", "", text).rstrip("/")

    return Made(address, lambda row: bool(link_of(row)) and plain(link_of(row)) == plain(address))


def domain(host: str) -> Made:
    return Made(f"domain:{host}", lambda row: f"//{link_of(row).replace('www.', '')}/".find(f"//{host}/") > 0)


PROPERTIES: dict[str, Callable[[Record], bool]] = {
    "has:media": lambda row: bool(images_of(row)) or has_video(row),
    "has:images": lambda row: bool(images_of(row)),
    "has:video": has_video,
    "has:alt": lambda row: any(image["alt"] for image in images_of(row)),
    "has:link": lambda row: bool(link_of(row)),
    "is:reply": lambda row: bool(parent(row)),
    "is:root": lambda row: not parent(row),
    "is:quote": is_quote,
}


def trait(name: str) -> Made:
    return Made(name, PROPERTIES[name], indexed=False)


def lang(code: str) -> Made:
    return Made(f"lang:{code}", lambda row: speaks(row, code), indexed=False)


def since(moment: datetime) -> Made:
    return Made(f"since:{moment:%Y-%m-%dT%H:%M:%SZ}", lambda row: created(row) >= moment, indexed=False)


def until(moment: datetime) -> Made:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Made(f"until:{day:%Y-%m-%d}", lambda row: created(row) < day, indexed=False)


def inverted(made: Made) -> Made:
    is_one = re.fullmatch(r'"[^"]*"|[^\s"]+', made.text)
    text = f"-{made.text}" if is_one else f"-({made.text})"
    return Made(text, lambda row: not made.matches(row), positive=not made.positive, indexed=False)


def all_of(*parts: Made) -> Made:
    return Made(
        " ".join(f"({part.text})" if " OR " in part.text else part.text for part in parts),
        lambda row: all(part.matches(row) for part in parts),
        positive=any(part.positive for part in parts),
        indexed=any(part.indexed for part in parts),
    )


def any_of(*parts: Made) -> Made:
    return Made(
        " OR ".join(part.text for part in parts),
        lambda row: any(part.matches(row) for part in parts),
        positive=any(part.positive for part in parts),
        indexed=all(part.indexed for part in parts),
    )


@dataclass(frozen=True)
class Vocabulary:
    """What leaves are made of."""

    texts: list[str]
    dids: tuple[str, ...]
    tags: tuple[str, ...]
    links: tuple[str, ...]


def leaf(random: Random, known: Vocabulary) -> Made:
    """Any leaf; words and phrases are taken from the texts, sometimes in another form."""
    text = random.choice(known.texts)
    words = [each for each in re.split(r"[\s,.;:!¡?—…。、，！'’]+", text) if units(each)]
    at = random.randrange(len(words))
    run = words[at]
    moment = datetime.now(UTC) - timedelta(days=random.randrange(7), hours=random.randrange(24))
    form = random.choice([run, run.upper(), unicodedata.normalize("NFD", run), run[: 1 + len(run) // 2]])
    kinds: list[Callable[[], Made]] = [
        lambda: word(form),
        lambda: word(run),
        lambda: word(random.choice("鯨桥橋ก☕")),
        lambda: phrase(" ".join(words[at : at + random.randrange(1, 4)])),
        lambda: tag(random.choice([random.choice(known.tags), random.choice(known.tags).upper()])),
        lambda: account(random.choice(known.dids), random.choice(["from", "to", "mentions"])),
        lambda: link(random.choice(known.links)),
        lambda: domain(random.choice(["example.com", "canal.example", "news.example", "other.example"])),
        lambda: lang(random.choice(["en", "pt", "ja", "zh-xx", "el"])),
        lambda: trait(random.choice([*PROPERTIES])),
        lambda: since(moment.replace(microsecond=0)),
        lambda: until(moment),
    ]
    return random.choice(kinds)()


def made(random: Random, depth: int, some: Callable[[], Made]) -> Made:
    """A query of leaves, exclusions, all of and any of, to this depth."""
    if depth == 0 or random.random() < 0.3:
        return some()
    parts = [made(random, depth - 1, some) for _ in range(random.randrange(2, 4))]
    joined = random.choice([all_of, all_of, any_of])(*parts)
    return inverted(joined) if random.random() < 0.15 else joined
