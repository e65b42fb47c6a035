"""Searches of the posts of the real network's recorded ten minutes equal looking at every post."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
import zstandard

from atsite.core.atproto.tid import is_tid, tid_to_int
from tests.builders import store
from tests.rows import Record
from tests.search.posts import brute_force as brute
from tests.search.service import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.search.posts.brute_force import Made
    from tests.search.service import Service

pytestmark = [pytest.mark.shared_data, pytest.mark.slow, pytest.mark.timeout(1500)]

#: Queries of each depth.
QUERIES: Final = 80
#: The longest walk: of more matches its first pages are compared.
PAGES: Final = 12
SECOND: Final = 1_000_000


def posts_of(file: Path) -> Iterator[Record]:
    """Those of the file."""
    for line in io.BufferedReader(zstandard.open(file, "rb")):
        if b'"app.bsky.feed.post"' not in line:
            continue
        event: dict[str, Any] = json.loads(line)
        commit = event["commit"]
        yield Record(
            event["did"], commit["collection"], commit["rkey"], tid_to_int(commit["rev"]), commit["record"],
            event["time_us"],
        )  # fmt: skip


def is_listed(row: Record) -> bool:
    """Its key is a time that is not ahead of its commit, and not a day or more after its date."""
    if not is_tid(row.rkey):
        return False
    moment = tid_to_int(row.rkey) >> 10
    made = brute.created(row).timestamp() * SECOND + 24 * 3600 * SECOND
    return moment <= (row.version >> 10) + 120 * SECOND and moment <= made


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[Record]:
    return list(posts_of(shared_data / "jetstream" / "firehose-10min.jsonl.zst"))


def leaf(random: Random, posts: list[Record]) -> Made:
    """What an index finds: words and phrases as they stand in the posts, in other forms, and authors."""
    row = random.choice(posts)
    words = brute.text_of(row).split()
    at = random.randrange(len(words)) if words else 0
    wanted = words[at].strip('"“”()-:#@') if words else ""
    kind = random.randrange(10)
    if kind == 0:
        return brute.account(row.did, "from")
    if kind <= 3:
        phrase = re.sub('["“”„‟＂]', " ", " ".join(words[at : at + random.randrange(2, 4)]))
        return brute.phrase(phrase) if any(map(str.isalnum, phrase)) else leaf(random, posts)
    if not brute.units(wanted) or not wanted.isalnum() or wanted.upper() in {"AND", "OR"}:
        return leaf(random, posts)
    return brute.word(random.choice([wanted, wanted, wanted.upper()]))


def test_made_queries_find_what_looking_at_every_post_finds(
    service: Service, recorded: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("units", "folded"):
        monkeypatch.setattr(brute, name, cache(getattr(brute, name)))
    rows = iter(recorded)
    while block := list(islice(rows, 10_000)):
        store(*block)
    listed = [row for row in recorded if is_listed(row)]
    assert len(listed) > 10_000
    random = Random(11)
    matched = 0
    wrong: dict[str, list[str]] = {}
    for depth in (0, 1, 2):
        asked = 0
        while asked < QUERIES:
            made = brute.made(random, depth, lambda: leaf(random, listed))
            if not (made.positive and made.indexed) or any(part in made.text for part in ("--", "-(-", " OR OR")):
                continue
            asked += 1
            expected = newest_first(*filter(made.matches, listed))
            matched += bool(expected)
            walked = [uri for page in islice(service.walk(made.text, limit=100), PAGES) for uri in page]
            if walked != expected[: PAGES * 100]:
                wrong[made.text] = sorted(set(walked) ^ set(expected[: PAGES * 100]))[:3]
    assert wrong == {}
    assert matched > 2 * QUERIES
