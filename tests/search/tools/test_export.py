"""An export in this process: the memory that it takes, its end, and that it leaves nothing behind."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.config import config
from atsite.core.identity.account_server import ServerFailed
from search.tools import repo_export
from tests.search.cleanup import pds_server
from tests.search.cleanup.ruled_server import Answer
from tests.search.cleanup.working import working
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from search.tools.repo_export import Export
    from tests.search.cleanup.pds_server import Account, PdsServer

#: Bytes that an export may have in use, beside its file: a record of 1 MiB and the table of blocks are the most of it.
MEMORY_MAX = 14_000_000


@pytest.fixture
def pds(tmp_path: Path, valkey: redis.Redis) -> Iterator[PdsServer]:
    with pds_server.serving(time.time) as server, working(tmp_path, server.url):
        yield server


@pytest.fixture
def mira(pds: PdsServer) -> Account:
    return pds.account("mira")


class Place:
    """Whether a place was given back."""

    def __init__(self) -> None:
        self.is_free = False

    def give_back(self) -> None:
        assert not self.is_free
        self.is_free = True


def begin(account: Account, place: Place) -> Export:
    return repo_export.begin(account.did, frozenset(), place.give_back)


def pieces(export: Export) -> Iterator[bytes]:
    piece = export.first
    while piece:
        yield piece
        piece = export.piece()


def posts(number: int, text: str = "x") -> dict[str, dict[str, Any] | None]:
    return {f"app.bsky.feed.post/p{each:06}": {"text": f"{each} {text}"} for each in range(number)}


def no_file_is_left() -> bool:
    return list((config.data_dir / "tools").iterdir()) == []


def test_memory_is_bounded_whatever_the_size_of_the_repo(pds: PdsServer, mira: Account, tmp_path: Path) -> None:
    large = {f"app.bsky.feed.post/z{each}": {"text": f"{each}" + "y" * 1_000_000} for each in range(50)}
    mira.repo.write({**posts(20_000), **large})
    car = tmp_path / "repo.car"
    car.write_bytes(mira.repo.file())
    mira.repo.values.clear()
    pds.fail("getRepo", Answer(200, chunks=chunks(car)))
    tracemalloc.start()
    try:
        place = Place()
        export = begin(mira, place)
        written = sum(map(len, pieces(export)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert car.stat().st_size > 50_000_000
    assert written > 50_000_000
    assert peak < MEMORY_MAX
    assert place.is_free
    assert no_file_is_left()


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(65_536):
            yield chunk


def test_an_export_that_nobody_reads_on_ends_with_a_word(mira: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repo_export, "EXPORT_SECONDS", 0.05)
    mira.repo.write(posts(5_000, "x" * 100))
    place = Place()
    export = begin(mira, place)
    until(lambda: place.is_free, "the place is free")
    last = json.loads(export.piece())
    assert last == {"error": "UpstreamTimeout", "message": "the answer was read too slowly"}
    assert export.piece() == b""


@pytest.mark.parametrize("end", [lambda export: export.close(), lambda export: list(pieces(export))])
def test_a_place_is_given_back_once(mira: Account, end: Callable[[Export], object]) -> None:
    mira.repo.write(posts(5_000, "x" * 100))
    place = Place()
    export = begin(mira, place)
    end(export)
    assert place.is_free
    export.close()
    assert export.piece() == b""


def test_a_failure_gives_the_place_back_and_leaves_no_file(mira: Account) -> None:
    place = Place()
    with pytest.raises(ServerFailed, match="this site does not show this account"):
        repo_export.begin(mira.did, {mira.did}, place.give_back)
    assert place.is_free
    assert no_file_is_left()
