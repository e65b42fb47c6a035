"""The judge of the load test, tried on pages that are right and on every defect that one can have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from atsite.core.copies.redis_cache import LIFE_SECONDS
from tests.feeds.load.judge import Away, Record, Seen, Walk, World, judged
from tests.feeds.load.readers import shape_problem

if TYPE_CHECKING:
    from collections.abc import Sequence


def uri(rkey: str, did: str = "did:plc:a") -> str:
    return f"at://{did}/app.bsky.feed.post/{rkey}"


HOT = tuple(uri(f"hot{number}") for number in range(5))
LISTED = (HOT[3], HOT[1], HOT[4])
PRIVATE = (uri("private3"), uri("private2"), uri("private1"))
#: Newest first; the last one's author comes and goes.
PUBLIC = (uri("public3", "did:plc:b"), uri("public3"), uri("public2"), uri("public1"))
INSTRUCTIONS = uri("instructions")
STRANGER = uri("stranger")
WORLD = World(HOT, LISTED, frozenset(PRIVATE), frozenset(PUBLIC), frozenset(PUBLIC[:3]), INSTRUCTIONS)
#: The one who carries the private label from the beginning, and one who never does.
MEMBER, NOBODY = "did:plc:member", "did:plc:nobody"

HOT_PAGE = Seen("whats-hot", 10, 11, 200, HOT, first=True)
LIST_PAGE = Seen("bangers", 10, 11, 200, LISTED, first=True)
PUBLIC_PAGE = Seen("cl-tqsp", 10, 11, 200, PUBLIC, first=True)
PRIVATE_PAGE = Seen("a-mpls", 10, 11, 200, PRIVATE, viewer=MEMBER, first=True)
INSTRUCTED = replace(PRIVATE_PAGE, posts=(INSTRUCTIONS,), viewer=NOBODY)


def problems(
    *seen: Seen | Walk, changes: Sequence[dict[str, Any]] = (), away: Sequence[Away] = (), wrong: Sequence[str] = ()
) -> list[str]:
    answers = [each for each in seen if isinstance(each, Seen)]
    walks = [each for each in seen if isinstance(each, Walk)]
    record = Record(answers, walks, list(wrong), list(away), list(changes))
    return judged(record, WORLD, {MEMBER})


def test_right_pages_and_walks_are_right() -> None:
    walks = [
        Walk("whats-hot", 0, 9, HOT[::-1]),  # a ranking is anybody's
        Walk("bangers", 0, 9, LISTED),
        Walk("cl-tqsp", 0, 9, PUBLIC),
        Walk("cl-tqsp", 0, 9, PUBLIC[:3]),
    ]
    later = replace(INSTRUCTED, posts=(), first=False)
    anonymous = replace(INSTRUCTED, viewer=None)
    second = replace(PRIVATE_PAGE, posts=PRIVATE[1:], first=False)
    pages = [HOT_PAGE, LIST_PAGE, PUBLIC_PAGE, PRIVATE_PAGE, second, INSTRUCTED, later, anonymous]
    assert problems(*pages, *walks) == []


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (replace(HOT_PAGE, posts=(*HOT, STRANGER)), "are not of this feed"),
        (replace(HOT_PAGE, posts=PRIVATE[:1]), "are not of this feed"),
        (replace(LIST_PAGE, posts=HOT[:1]), "are not of this feed"),
        (replace(PUBLIC_PAGE, posts=PRIVATE[:1]), "are not of this feed"),
        (replace(HOT_PAGE, status=500, posts=(), error="InternalServerError"), "500 InternalServerError with nothing"),
        (replace(HOT_PAGE, status=503, posts=(), error="NotEnoughResources"), "503 NotEnoughResources with nothing"),
        (replace(PUBLIC_PAGE, status=503, posts=(), error="NotEnoughResources"), "503 NotEnoughResources with nothing"),
        (replace(PRIVATE_PAGE, status=502, posts=(), error="UpstreamFailure"), "502 UpstreamFailure with nothing"),
        (replace(PRIVATE_PAGE, status=401, posts=(), error="BadJwt"), "401 BadJwt with nothing"),
        (replace(PRIVATE_PAGE, viewer=NOBODY), "private posts for someone who did not carry the label"),
        (replace(PRIVATE_PAGE, viewer=None), "private posts for someone who did not carry the label"),
        (replace(PRIVATE_PAGE, posts=(*PRIVATE, STRANGER)), "neither the feed nor its instructions"),
        (replace(PRIVATE_PAGE, posts=(*PRIVATE, INSTRUCTIONS)), "neither the feed nor its instructions"),
        (replace(INSTRUCTED, posts=()), "neither the feed nor its instructions"),
        (replace(INSTRUCTED, first=False), "neither the feed nor its instructions"),
        (replace(INSTRUCTED, viewer=MEMBER), "nothing for someone who carried the label all the time"),
        (replace(PRIVATE_PAGE, posts=PRIVATE[::-1]), "not the newest ones in their order"),
        (replace(PRIVATE_PAGE, posts=PRIVATE[1:]), "not the newest ones in their order"),
        (replace(PRIVATE_PAGE, posts=(PRIVATE[0], PRIVATE[2]), first=False), "not the newest ones in their order"),
        (replace(PRIVATE_PAGE, posts=(*PRIVATE, PRIVATE[0])), "a post came twice"),
        (replace(HOT_PAGE, posts=(*HOT, HOT[0])), "a post came twice"),
        (Walk("whats-hot", 0, 9, (*HOT, HOT[2])), "1 came twice"),
        (Walk("cl-tqsp", 0, 9, (*PUBLIC, PUBLIC[3])), "1 came twice"),
        (Walk("whats-hot", 0, 9, HOT[1:]), "1 are missing"),
        (Walk("bangers", 0, 9, LISTED[:2]), "1 are missing"),
        (Walk("bangers", 0, 9, ()), "3 are missing"),
        (Walk("cl-tqsp", 0, 9, PUBLIC[1:]), "1 are missing"),
        (Walk("bangers", 0, 9, LISTED[::-1]), "not in the order of the list"),
        (Walk("cl-tqsp", 0, 9, PUBLIC[::-1]), "not newest first"),
        (Walk("cl-tqsp", 0, 9, (PUBLIC[1], PUBLIC[0], *PUBLIC[2:])), "not newest first"),  # of equal keys, by did
    ],
)
def test_each_defect_of_a_page_or_walk_is_one_problem(seen: Seen | Walk, problem: str) -> None:
    (found,) = problems(seen)
    assert problem in found


def test_what_a_reader_found_wrong_at_once_is_a_problem() -> None:
    assert problems(HOT_PAGE, wrong=["whats-hot: 31 entries of 30"]) == ["whats-hot: 31 entries of 30"]


DELETED = [
    {"what": "deleting", "uri": HOT[0], "began": 4.0},
    {"what": "deleted", "uri": HOT[0], "ended": 5.0},
]


def test_a_deleted_post_may_be_seen_as_long_as_processes_remember_and_not_longer() -> None:
    began = 5.0 + 1.0
    assert problems(replace(HOT_PAGE, began=began), changes=DELETED) == []
    (found,) = problems(replace(HOT_PAGE, began=began + 0.1), changes=DELETED)
    assert "were deleted before" in found
    assert problems(replace(HOT_PAGE, began=began + 0.1), changes=DELETED, away=[Away("ClickHouse", 10, 12)]) == []
    assert problems(replace(HOT_PAGE, began=began + 0.1), changes=DELETED, away=[Away("Redis", 10, 12)]) != []


def test_a_walk_may_miss_a_post_whose_delete_had_begun_and_no_other() -> None:
    assert problems(Walk("whats-hot", 0, 4.0, HOT[1:]), changes=DELETED) == []
    assert problems(Walk("whats-hot", 0, 3.9, HOT[1:]), changes=DELETED) != []
    assert problems(Walk("whats-hot", 0, 9, HOT[2:]), changes=DELETED) != []


@pytest.mark.parametrize(
    ("seen", "store"),
    [
        (replace(PRIVATE_PAGE, status=502, posts=(), error="UpstreamFailure"), "Redis"),
        (replace(PRIVATE_PAGE, status=503, posts=(), error="NotEnoughResources"), "ClickHouse"),
        (replace(PUBLIC_PAGE, status=503, posts=(), error="NotEnoughResources"), "ClickHouse"),
    ],
)
def test_an_error_is_right_only_while_its_store_is_away(seen: Seen, store: str) -> None:
    other = {"Redis": "ClickHouse", "ClickHouse": "Redis"}[store]
    assert problems(seen, away=[Away(store, 0)]) == []
    assert problems(seen, away=[Away(store, 11, 12)]) == []
    assert problems(seen, away=[Away(store, 11.1, 12)]) != []
    assert problems(seen, away=[Away(store, 0, 9.9)]) != []
    assert problems(seen, away=[Away(other, 0)]) != []


@pytest.mark.parametrize("store", ["Redis", "ClickHouse"])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_ranked_and_chosen_feeds_answer_whatever_is_away(store: str, status: int) -> None:
    for page in (HOT_PAGE, LIST_PAGE):
        assert problems(replace(page, status=status, posts=(), error="x"), away=[Away(store, 0)]) != []


def label(did: str, began: float, ended: float, *, has: bool, late: bool = False) -> dict[str, Any]:
    return {"what": "label", "label": "mpls", "did": did, "has": has, "began": began, "ended": ended, "late": late}


def page_of(did: str, began: float, ended: float, posts: tuple[str, ...] = PRIVATE) -> Seen:
    return replace(PRIVATE_PAGE, viewer=did, began=began, ended=ended, posts=posts)


def test_while_a_label_is_given_or_taken_both_answers_are_right_and_else_one() -> None:
    changes = [label(NOBODY, 20, 22, has=True), label(NOBODY, 40, 42, has=False)]
    nothing = (INSTRUCTIONS,)
    for began, ended in ((19, 21), (21, 23), (39, 41), (41, 43)):
        assert problems(page_of(NOBODY, began, ended), changes=changes) == []
        assert problems(page_of(NOBODY, began, ended, nothing), changes=changes) == []
    for began, ended in ((10, 19), (43, 50)):
        assert problems(page_of(NOBODY, began, ended), changes=changes) != []
        assert problems(page_of(NOBODY, began, ended, nothing), changes=changes) == []
    assert problems(page_of(NOBODY, 23, 39), changes=changes) == []
    assert problems(page_of(NOBODY, 23, 39, nothing), changes=changes) != []


def test_a_change_that_was_late_may_be_seen_as_late_as_cached_decisions_live() -> None:
    changes = [label(MEMBER, 20, 22, has=False, late=True)]
    assert problems(page_of(MEMBER, 22 + LIFE_SECONDS - 1, 90), changes=changes) == []
    assert problems(page_of(MEMBER, 22 + LIFE_SECONDS + 1, 90), changes=changes) != []


def test_another_label_and_another_reader_s_give_nobody_the_right_to_read() -> None:
    other = {**label(NOBODY, 0, 1, has=True), "label": "tqsp"}
    assert problems(PRIVATE_PAGE, replace(PRIVATE_PAGE, viewer=NOBODY), changes=[other]) != []
    assert problems(replace(PRIVATE_PAGE, viewer=NOBODY), changes=[label("did:plc:x", 0, 1, has=True)]) != []


RIGHT: dict[str, Any] = {"feed": [{"post": HOT[0]}, {"post": HOT[1]}], "cursor": "c"}
PUBLIC_CACHE = {"cache-control": "no-cache", "vary": "Authorization"}
PRIVATE_CACHE = {"cache-control": "private, no-store", "vary": "Authorization"}


def shape(body: Any, *, status: int = 200, private: bool = False, headers: dict[str, str] | None = None) -> str:
    """Of the answer to a request with limit 2."""
    headers = headers or (PRIVATE_CACHE if private else PUBLIC_CACHE)
    return shape_problem(httpx.Response(status, headers=headers), body, limit=2, private=private)


def test_bodies_that_the_app_view_takes_are_right() -> None:
    assert shape(RIGHT) == shape(RIGHT, private=True) == ""
    assert shape({"feed": []}) == shape({"feed": RIGHT["feed"]}) == ""
    assert shape({"error": "x", "message": "y"}, status=400) == ""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({**RIGHT, "feed": [*RIGHT["feed"], {"post": HOT[2]}]}, "3 entries of 2"),
        ({"feed": [], "cursor": "c"}, "an empty page before the end"),
        ({**RIGHT, "cursor": None}, "no page"),
        ({**RIGHT, "cursor": 7}, "no page"),
        ({"cursor": "c"}, "no page"),
        ({**RIGHT, "more": 1}, "no page"),
        ({"feed": [{"post": HOT[0], "reason": None}]}, "an entry that is no plain post"),
        ({"feed": [{}]}, "an entry that is no plain post"),
    ],
)
def test_a_body_that_the_app_view_would_refuse_or_cut_is_wrong(body: Any, problem: str) -> None:
    assert problem in shape(body)


@pytest.mark.parametrize("body", [{"detail": "x"}, {"error": "x"}, {"error": "x", "message": "y", "more": 1}])
def test_an_error_without_the_form_of_xrpc_is_wrong(body: Any) -> None:
    assert "no error's body" in shape(body, status=400)


def test_a_page_that_a_cache_may_give_to_others_is_wrong() -> None:
    assert "cache" in shape(RIGHT, private=True, headers=PUBLIC_CACHE)
    assert "cache" in shape(RIGHT, headers=PRIVATE_CACHE)
    assert "cache" in shape(RIGHT, headers={**PUBLIC_CACHE, "vary": "Accept"})
