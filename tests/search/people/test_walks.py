"""Walks through a search of people: each account once, whatever changes meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from atsite.core.cursor_format import InvalidCursor
from labels.blocks import Blocks
from search.people import queries, walks
from search.people.search import Page, Search
from tests.builders import ALICE, account, ago, block, follow, identity, profile, store
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from tests.search.service import Service

PEOPLE = [Did(f"did:plc:{letter * 24}") for letter in "bcdefghijklmnopq"]


@pytest.fixture
def people(clickhouse: None, valkey: redis.Redis) -> Sequence[Did]:
    """Sixteen accounts that a search for `kal` finds, in this order."""
    store(*(profile(did, at=ago(hours=3), name=f"Kalle {did[8]}") for did in PEOPLE))
    return PEOPLE


def search(text: str = "kal", viewer: Did | None = None, blocks: Blocks | None = None) -> Search:
    return Search(queries.cut(text), viewer, blocks or Blocks())


def dids(page: Page) -> list[Did]:
    return [person.did for person in page.people]


def following_page(page: Page, limit: int = 3, **whose: object) -> Page:
    assert page.cursor is not None
    return search(**whose).next_page(limit, page.cursor)  # type: ignore[arg-type]


def test_each_account_comes_once_while_names_and_followers_change(people: Sequence[Did]) -> None:
    page = search().page(3, walk=True)
    found = dids(page)
    for step in steps():
        late = people[-1 - step % 4]
        # One gets followers, another one another name, and one arrives.
        store(
            follow(Did(f"did:plc:{'z' * 20}{step:04d}".replace("0", "x")), late, at=ago(minutes=5)),
            profile(people[step % 3], at=now_us(), name=f"Kalle again {step}"),
            profile(Did(f"did:plc:{'y' * 23}{'abcdefghij'[step % 10]}"), at=ago(hours=1), name="Kalle"),
        )
        if page.cursor is None:
            break
        page = following_page(page)
        found += dids(page)
    assert found == list(people)


def test_a_page_leaves_out_who_is_renamed_blocked_or_inactive_since(people: Sequence[Did]) -> None:
    first = search(viewer=ALICE).page(3, walk=True)
    store(
        profile(people[3], at=ago(minutes=1), name="Other"),
        account(people[4], active=False, status="deactivated", at=ago(minutes=1)),
        block(people[5], ALICE, at=ago(minutes=1)),
        block(ALICE, people[6], at=ago(minutes=1)),
    )
    second = following_page(first, viewer=ALICE, blocks=Blocks(frozenset({people[7]})))
    assert dids(second) == [people[8], people[9], people[10]]
    assert dids(following_page(second, viewer=ALICE, limit=100)) == list(people[11:])


def test_a_cursor_opens_no_other_search(people: Sequence[Did]) -> None:
    page = search().page(3, walk=True)
    for other in (search("kall"), search(viewer=ALICE)):
        with pytest.raises(InvalidCursor):
            other.next_page(3, page.cursor or "")
    assert len(dids(following_page(page))) == 3


def test_a_walk_that_has_ended_is_an_empty_page(people: Sequence[Did], valkey: redis.Redis) -> None:
    page = search().page(3, walk=True)
    (key,) = valkey.keys("atsite:people:walk:*")
    assert 500 < int(valkey.ttl(key)) <= walks.SECONDS
    valkey.delete(key)
    assert following_page(page) == Page(())


def test_a_walk_takes_the_place_of_the_oldest(
    people: Sequence[Did], valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "SLOTS", 2)
    pages = [search().page(3, walk=True) for _ in range(3)]
    assert len(valkey.keys("atsite:people:walk:*")) == 2
    assert [len(following_page(page).people) for page in pages] == [0, 3, 3]


def test_a_walk_is_bounded_and_its_query_is_not_kept(
    people: Sequence[Did], valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "BYTES_MAX", 5 * (len(ALICE) + 3))
    page = search().page(3, walk=True)
    (key,) = valkey.keys("atsite:people:walk:*")
    assert b"kal" not in (valkey.get(key) or b"")
    assert dids(following_page(page, limit=100)) == list(people[3:8])


def test_what_is_typed_keeps_no_walk(people: Sequence[Did], valkey: redis.Redis) -> None:
    assert search().page(3, walk=False).cursor is None
    assert valkey.keys("atsite:people:*") == []


def test_forged_cursors_are_refused(service: Service) -> None:
    store(identity(ALICE, "alice.example.com", at=ago(hours=1)))
    path = "/xrpc/app.bsky.unspecced.searchActorsSkeleton"
    for cursor in ("", "x", walks.Walk(0, "x", ()).cursor(-1), walks.Walk(5_000, "x", ()).cursor(0)):
        assert service.refused(path, q="al", cursor=cursor)[:2] == (400, "InvalidRequest")
    assert service.get(path, q="al", cursor=walks.Walk(3, "invented", ()).cursor(0)).json() == {"actors": []}
