"""The rules of the search of people, one by one: who comes first, who is left out, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import READ
from indexer.index import purge
from indexer.index.posts import live_posts
from indexer.index.posts.post_key import PostKey
from indexer.index.query.cutting import cut_by_store
from labels.blocks import Blocks
from search.people import queries, ranking
from search.people.asked import Asked
from search.people.search import Search
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    account,
    ago,
    block,
    delete,
    floor,
    follow,
    identity,
    post,
    profile,
    store,
    update,
)  # fmt: skip

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from tests.search.service import Service

ACTORS = "/xrpc/app.bsky.unspecced.searchActorsSkeleton"
TYPE_AHEAD = "/actors/type_ahead"
HIDING = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}


def found(text: str, viewer: Did | None = None, *, blocks: Blocks | None = None) -> list[Did]:
    people = Search(queries.cut(text), viewer, blocks or Blocks()).page(25, walk=False).people
    return [person.did for person in people]


def test_mutual_accounts_come_first_then_followed_then_the_most_followed(clickhouse: None) -> None:
    names = [profile(did, at=ago(hours=2), name="Kalle") for did in (ALICE, BOB, CAROL)]
    gone = follow(DAN, CAROL, at=ago(hours=2))
    store(
        *names, follow(DAN, BOB, at=ago(hours=2)), follow(DAN, ALICE, at=ago(hours=2)),
        follow(ALICE, DAN, at=ago(hours=2)), gone, delete(gone, at=ago(hours=1)),
        *(follow(did, CAROL, at=ago(hours=1)) for did in (ALICE, BOB)),
    )  # fmt: skip
    ranking.rank_people(now=datetime.now(UTC))
    assert found("kal") == [CAROL, ALICE, BOB]
    assert found("kal", DAN) == [ALICE, BOB, CAROL]
    assert found("kal", BOB) == [CAROL, ALICE, BOB]


def test_blocks_of_either_side_and_of_the_site_hold_until_they_are_taken_back(clickhouse: None) -> None:
    store(*(profile(did, at=ago(hours=2), name="Kalle") for did in (ALICE, BOB, CAROL)))
    blocked, blocking = block(DAN, ALICE, at=ago(hours=2)), block(BOB, DAN, at=ago(hours=2))
    store(blocked, blocking, follow(DAN, BOB, at=ago(hours=3)))
    assert found("kal", DAN) == [CAROL]
    assert found("kal", DAN, blocks=Blocks(frozenset({CAROL}))) == []
    store(delete(blocked, at=ago(hours=1)), delete(blocking, at=ago(hours=1)))
    assert found("kal", DAN) == [BOB, ALICE, CAROL]


def test_accounts_that_ask_for_it_are_hidden_from_callers_without_a_viewer(clickhouse: None) -> None:
    plain = profile(ALICE, at=ago(hours=3), name="Kalle")
    store(plain, profile(BOB, at=ago(hours=3), name="Kalle"), update(plain, at=ago(hours=2), labels=HIDING))
    assert found("kal") == [BOB]
    assert found("kal", DAN) == [ALICE, BOB]
    posts = [post(did, at=ago(minutes=5)) for did in (ALICE, BOB, CAROL)]
    keys = [PostKey(each.rkey, each.did) for each in posts]
    store(*posts)
    assert live_posts.alive(keys, limits=READ, signed_in=False) == set(keys[1:])
    assert live_posts.alive(keys, limits=READ) == set(keys)
    store(floor(ALICE, at=ago(hours=1), reason="a new repo"))
    assert live_posts.alive(keys, limits=READ, signed_in=False) == set(keys)
    store(update(plain, at=ago(minutes=1)))
    assert found("kal") == [ALICE, BOB]


@pytest.mark.parametrize(
    ("labels", "stored"),
    [
        (HIDING, ["!no-unauthenticated"]),
        ({"values": [{"val": "a"}, {"val": "a"}, {"val": 7}, {"val": {"x": 1}}, "b"]}, ["a", ""]),
        ({"values": {"val": "a"}}, []),
        ([{"val": "a"}], []),
        ("!no-unauthenticated", []),
        (None, []),
    ],
)
def test_the_self_labels_of_a_profile_are_stored_whatever_their_form(
    clickhouse: None, labels: object, stored: list[str]
) -> None:
    store(update(profile(ALICE, at=ago(hours=2), name="Kalle"), at=ago(hours=1), labels=labels))
    rows = door.column("SELECT labels FROM actor_profiles FINAL", name="tests.labels")
    assert rows == [stored]


def test_names_and_handles_that_were_given_up_find_nobody(clickhouse: None) -> None:
    store(
        profile(ALICE, at=ago(hours=3), name="Kalle"), profile(ALICE, at=ago(hours=2), name="Mona"),
        identity(ALICE, "kalle.example.com", at=ago(hours=3)), identity(ALICE, "mona.example.com", at=ago(hours=2)),
        identity(BOB, "kaspar.example.com", at=ago(hours=3)), identity(CAROL, "kaspar.example.com", at=ago(hours=2)),
    )  # fmt: skip
    assert found("kal") == []
    assert found("mona") == [ALICE]
    assert found("kas") == [CAROL]
    store(identity(CAROL, "other.example.com", at=ago(hours=1)))
    assert found("kas") == []


def test_a_handle_that_another_one_took_is_not_shown_beside_a_name(service: Service) -> None:
    store(
        profile(ALICE, at=ago(hours=3), name="Mona"), identity(ALICE, "x.example.com", at=ago(hours=3)),
        identity(BOB, "x.example.com", at=ago(hours=2)),
    )  # fmt: skip
    assert service.get(TYPE_AHEAD, query="mon").json() == {
        "results": [{"did": ALICE, "displayName": "Mona", "score": 0}]
    }


def test_who_is_inactive_or_deleted_is_not_found_and_returns_with_what_is_new(clickhouse: None) -> None:
    store(profile(ALICE, at=ago(hours=9), name="Kalle"), identity(ALICE, "kalle.example.com", at=ago(hours=9)))
    store(account(ALICE, active=False, status="deactivated", at=ago(hours=8)))
    assert found("kal") == []
    store(account(ALICE, at=ago(hours=7)))
    assert found("kal") == [ALICE]
    store(account(ALICE, active=False, status="deleted", at=ago(hours=6)), floor(ALICE, at=ago(hours=6)))
    store(account(ALICE, at=ago(hours=5)))  # came back, with nothing yet
    assert found("kal") == []
    store(profile(ALICE, at=ago(hours=4), name="Kaline"))
    assert found("kal") == [ALICE]


def test_a_purge_leaves_nothing_of_a_deleted_account_but_that_it_is_deleted(clickhouse: None) -> None:
    store(*(profile(did, at=ago(hours=9), name="Kalle") for did in (ALICE, BOB)))
    store(identity(ALICE, "kalle.example.com", at=ago(hours=9)), follow(BOB, ALICE, at=ago(hours=9)))
    ranking.rank_people(now=datetime.now(UTC).replace(year=2025))
    store(account(ALICE, active=False, status="deleted", at=ago(hours=6)), floor(ALICE, at=ago(hours=6)))
    purge.purge_dead(now=datetime.now(UTC))
    assert set(door.column("SELECT did FROM people_tokens", name="tests.tokens")) == {BOB}
    facts = "SELECT fact FROM people_facts FINAL WHERE did = {did:String}"
    assert set(door.column(facts, {"did": ALICE}, name="tests.facts")) == {"active", "floor"}


def test_the_most_followed_of_a_popular_beginning_are_found_beyond_what_is_read(
    clickhouse: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"did:plc:{letter * 24}" for letter in "bcdefghijk"]
    store(*(profile(did, at=ago(hours=2), name="Kalle") for did in people))  # type: ignore[arg-type]
    store(*(follow(did, people[-1], at=ago(hours=1)) for did in people[:3]))  # type: ignore[arg-type]
    monkeypatch.setattr(queries, "RANGE_MAX", 4)
    monkeypatch.setattr(ranking, "RANGE_MAX", 4)
    assert found("kal") == people[:4]
    assert ranking.rank_people(now=datetime.now(UTC)) == 5  # k, ka, kal, kall and kalle
    assert found("kal") == [people[-1], *people[:4]]


@pytest.mark.parametrize(
    "text",
    ["", " ", "alice", "@Alice.Example-1.com", "A  b", "9lives", "x" * 40, "-a-", "a.b..c", "I", "c f 1-2", "K9"],
)
def test_plain_queries_are_cut_as_the_store_cuts_names(django_db_setup: None, text: str) -> None:
    (found,) = cut_by_store([text])
    assert queries.cut(text) == Asked.of(found.folded, found.words, found.runs)


def test_the_query_is_checked(service: Service) -> None:
    for nothing in ("", " ", "...", "@", "\u200b"):
        assert service.refused(ACTORS, q=nothing)[:2] == (400, "BadQueryString")
        assert service.get(TYPE_AHEAD, query=nothing).json() == {"results": []}
    assert service.refused(ACTORS, q=" ".join("abcdefghijk"))[:2] == (400, "BadQueryString")
    assert service.refused(ACTORS)[:2] == (400, "InvalidRequest")
    assert service.refused(ACTORS, q="x" * 301)[:2] == (400, "InvalidRequest")
    for limit in ("0", "101", "x"):
        assert service.refused(ACTORS, q="x", limit=limit)[:2] == (400, "InvalidRequest")
    assert service.refused(ACTORS, q="x", viewer="alice.example.com") == (400, "InvalidRequest", "viewer: not a did")
    assert service.refused(TYPE_AHEAD, query="x", actorDid="me") == (400, "InvalidRequest", "actorDid: not a did")


def test_the_answers_have_the_names_of_the_lexicon_and_what_is_known(service: Service) -> None:
    store(
        profile(ALICE, at=ago(hours=2), name="Alice Ä", avatar="bafkreipicture"),
        identity(ALICE, "alice.example.com", at=ago(hours=2)),
        identity(BOB, "alf.example.com", at=ago(hours=2)),
        identity(CAROL, "handle.invalid", at=ago(hours=2)),
    )
    assert service.get(ACTORS, q="al").json() == {"hitsTotal": 2, "actors": [{"did": ALICE}, {"did": BOB}]}
    first = service.get(ACTORS, q="al", limit=1).json()
    assert (set(first), first["actors"]) == ({"cursor", "actors"}, [{"did": ALICE}])
    assert set(service.get(ACTORS, q="al", limit=1, typeahead="true").json()) == {"actors"}
    assert service.get(TYPE_AHEAD, query="@AL").json() == {
        "results": [
            {
                "did": ALICE,
                "handle": "alice.example.com",
                "displayName": "Alice Ä",
                "avatar": "bafkreipicture",
                "score": 0,
            },
            {"did": BOB, "handle": "alf.example.com", "score": 0},
        ]
    }
    assert service.get(TYPE_AHEAD, query="handle").json() == {"results": []}
