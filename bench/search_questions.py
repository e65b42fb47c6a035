"""The questions of the benchmark of search, each with other words each time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from bench.search_posts import CHARACTERS, SITES, TAGS, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from bench.search_posts import Corpus

SKELETON: Final = "/xrpc/app.bsky.unspecced.searchPostsSkeleton"


@dataclass
class Question:
    """One kind of question: parameters of each request, and the same for SQLite ("" where it cannot)."""

    name: str
    make: Callable[[], dict[str, str]]
    fts: Callable[[dict[str, str]], str] = field(default=lambda _: "")


def questions(corpus: Corpus, client: httpx.Client) -> Iterator[Question]:
    """All kinds of questions; each has other words each time."""
    random = Random(11)

    def word(low: int, high: int) -> str:
        return f"w{random.randrange(low, high)}"

    def q(text: str, **more: str) -> dict[str, str]:
        return {"q": text, **more}

    def same(asked: dict[str, str]) -> str:
        return " ".join(f'"{part}"' for part in asked["q"].replace('"', "").split())

    rare = (WORDS * 9 // 10, WORDS)
    yield Question("common word", lambda: q(word(3, 60)), same)
    yield Question("rare word", lambda: q(word(*rare)), same)
    yield Question("phrase", lambda: q(f'"{word(0, 20)} {word(0, 20)}"'), lambda asked: asked["q"])
    yield Question(
        "tag", lambda: q(f"#tag{random.randrange(TAGS // 2, TAGS)}"), lambda asked: f'tag:"{asked["q"][1:]}"'
    )
    yield Question(
        "author and word",
        lambda: q(f"from:{corpus.author(random.randrange(corpus.posts))} {word(0, 20)}"),
        lambda asked: f'author:"{asked["q"].split()[0][5:]}" AND text:{asked["q"].split()[1]}',
    )
    yield Question(
        "domain",
        lambda: q(f"domain:site{random.randrange(SITES // 2, SITES)}.example"),
        lambda asked: f'domain:"{asked["q"][7:]}"',
    )
    yield Question(
        "Chinese word", lambda: q("".join(chr(0x4E00 + random.randrange(CHARACTERS // 20)) for _ in range(2)))
    )
    yield Question(
        "five by OR",
        lambda: q(" OR ".join(word(*rare) for _ in range(5))),
        lambda asked: asked["q"],
    )
    yield Question(
        "negation", lambda: q(f"{word(20, 200)} -{word(0, 5)}"), lambda asked: asked["q"].replace("-", "NOT ")
    )
    cursors = [(text, cursor_of_page(client, text, 50)) for text in (word(3, 60) for _ in range(5))]
    yield Question("page 50", lambda: dict(zip(("q", "cursor"), random.choice(cursors), strict=True)))
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86_400))
    yield Question("top of a day, cold", lambda: q(f"{word(3, 60)} -{word(*rare)}", sort="top", since=since))
    yield Question("top of a day, warm", lambda: q("w7", sort="top", since=since))


def cursor_of_page(client: httpx.Client, text: str, page: int) -> str:
    """The cursor of this page of a walk."""
    cursor: dict[str, str] = {}
    for _ in range(page - 1):
        answer = client.get(SKELETON, params={"q": text, **cursor}).json()
        cursor = {"cursor": answer["cursor"]}
    return cursor["cursor"]
