"""The posts that the benchmark of search looks through.

Texts are words by a Zipf-like law (rank = 600,000 u^4 for u even between 0 and 1), 5 to 29 in a post: the commonest
word is in four of ten posts, the rarest in about one of 150,000. Each 12th text is Chinese, of 3,000 characters by the
same law. Each fifth post has a tag, each 13th a link, each 11th a mention. 5 % of the posts are deleted, 2 % edited,
and 2 % of the authors are inactive. Likes: two for three posts, by the same law, so that few posts have most; a tenth
as many reposts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import int_of_micros, int_to_tid
from atsite.core.atproto.timestamps import datetime_of_micros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
#: Rows of an insert: as of the indexer, at most.
BLOCK: Final = 100_000
WORDS, CHARACTERS, TAGS, SITES = 600_000, 3_000, 20_000, 5_000
#: Posts of an author, on average.
PER_AUTHOR: Final = 50
_CID: Final = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"


@dataclass(slots=True)
class Block:
    """Raw events in columns, and the posts among them as they are after all: for the alternative."""

    repo: list[str] = field(default_factory=list)
    collection: list[str] = field(default_factory=list)
    rkey: list[str] = field(default_factory=list)
    operation: list[str] = field(default_factory=list)
    rev: list[str] = field(default_factory=list)
    record_json: list[str] = field(default_factory=list)
    version: list[int] = field(default_factory=list)
    #: Number, author, text, tag, domain; of those that are not deleted.
    posts: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    def add(self, did: str, collection: str, key: int, operation: str, body: str, version: int) -> None:
        self.repo.append(did)
        self.collection.append(collection)
        self.rkey.append(int_to_tid(key))
        self.operation.append(operation)
        self.rev.append(int_to_tid(version))
        self.record_json.append(body)
        self.version.append(version)

    def columns(self) -> dict[str, Sequence[object]]:
        """As `door.insert` takes them."""
        times = [version >> 10 for version in self.version]
        return {
            "repo": self.repo, "collection": self.collection, "rkey": self.rkey, "operation": self.operation,
            "rev": self.rev, "cid": [_CID] * len(self.rev), "record_json": self.record_json, "time_us": times,
            "version": self.version,
        }  # fmt: skip


def did_of(number: int) -> str:
    return f"did:plc:{number:024}"


@dataclass
class Corpus:
    """`posts` posts up to `newest` (unix microseconds), evenly over `days` days."""

    posts: int
    newest: int
    days: int = 30
    seed: int = 7

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self.step = self.days * 86_400_000_000 // self.posts
        self.authors = max(self.posts // PER_AUTHOR, 10)

    def ranks(self, below: int, number: int) -> list[int]:
        """Ranks from 0 to below `below`, low ones often."""
        random = self._random.random
        return [int(below * random() ** 4) for _ in range(number)]

    def author(self, number: int) -> str:
        return did_of(number * 2_654_435_761 % self.authors)

    def key(self, number: int) -> int:
        """The TID, as an integer, of post `number`; its clock id tells it from any other of that moment."""
        return int_of_micros(self.newest - (self.posts - number) * self.step, number % 1_024)

    def inactive(self) -> list[str]:
        return [did_of(number) for number in range(0, self.authors, 50)]

    def blocks(self) -> Iterator[Block]:
        """All posts with their edits and deletes, the oldest first."""
        for begin in range(0, self.posts, BLOCK):
            block = Block()
            numbers = range(begin, min(begin + BLOCK, self.posts))
            words = iter(self.ranks(WORDS, 29 * len(numbers)))
            tags, sites = self.ranks(TAGS, len(numbers)), self.ranks(SITES, len(numbers))
            for number, tag, site in zip(numbers, tags, sites, strict=True):
                self._add_post(block, number, words, tag, site)
            yield block

    def _add_post(self, block: Block, number: int, words: Iterator[int], tag: int, site: int) -> None:
        length = 5 + number * 7 % 25
        text = self._text(number, [next(words) for _ in range(length)])
        tagged, linked = f"tag{tag}" if number % 5 == 0 else "", f"site{site}.example" if number % 13 == 0 else ""
        did, key = self.author(number), self.key(number)
        block.add(did, POST, key, "create", self._record(number, text, tagged, linked), key)
        if number % 50 == 1:
            text = self._text(number, [next(words) for _ in range(5)])
            later = key + (60_000_000 << 10)
            block.add(did, POST, key, "update", self._record(number, text, tagged, linked), later)
        if number % 20 == 7:
            block.add(did, POST, key, "delete", "", key + (120_000_000 << 10))
        else:
            block.posts.append((number, did, text, tagged, linked))

    def _text(self, number: int, ranks: Sequence[int]) -> str:
        if number % 12 == 0:
            return "".join(chr(0x4E00 + rank * CHARACTERS // WORDS) for rank in ranks)
        return " ".join(f"w{rank}" for rank in ranks)

    def _record(self, number: int, text: str, tag: str, site: str) -> str:
        features: list[dict[str, str]] = []
        if tag:
            features.append({"$type": "app.bsky.richtext.facet#tag", "tag": tag})
        if site:
            features.append({"$type": "app.bsky.richtext.facet#link", "uri": f"https://{site}/{number % 9_999}"})
        if number % 11 == 0:
            features.append({"$type": "app.bsky.richtext.facet#mention", "did": self.author(number + 7)})
        record: dict[str, object] = {
            "$type": POST,
            "text": text,
            "createdAt": datetime_of_micros(self.key(number) >> 10),
            "langs": ["zh" if number % 12 == 0 else "en"],
        }
        if features:
            record["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": features}]
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"))

    def engagement(self) -> Iterator[Block]:
        """Likes and reposts, of posts of all the time; the popular ones are spread evenly over it."""
        total = self.posts * 2 // 3
        for begin in range(0, total, BLOCK):
            block = Block()
            numbers = range(begin, min(begin + BLOCK, total))
            for number, rank in zip(numbers, self.ranks(self.posts, len(numbers)), strict=True):
                subject = rank * 2_654_435_761 % self.posts
                kind = REPOST if number % 10 == 0 else LIKE
                key = self.key(number * self.posts // total) + 512
                uri = f"at://{self.author(subject)}/{POST}/{int_to_tid(self.key(subject))}"
                about = f'"subject":{{"uri":"{uri}","cid":"{_CID}"}}'
                body = f'{{"$type":"{kind}",{about},"createdAt":"2026-01-01T00:00:00Z"}}'
                block.add(did_of(number % self.authors), kind, key, "create", body, key)
            yield block
