"""GET /search/posts: rows with text, author, counts and matched ranges; and how a `top` walk begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core import cursor_format
from atsite.core.atproto.timestamps import datetime_of_micros
from search.posts import top_results
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    PROFILE,
    account,
    ago,
    delete,
    identity,
    like,
    micros,
    post,
    profile,
    record,
    repost,
    store,
)
from tests.search.service import SEARCH, Service

if TYPE_CHECKING:
    import redis

ROWS = "/search/posts"


def test_a_row_has_the_text_author_time_counts_and_matches(service: Service) -> None:
    at = micros(ago(hours=3))
    cup = post(ALICE, at=at, text="Ein Café, zwei Cafés", langs=("de",))
    reply = post(BOB, at=ago(hours=2), text="yes", reply_to=cup)
    gone = post(CAROL, at=ago(hours=2), text="no", reply_to=cup)
    quote = post(CAROL, at=ago(hours=2), text="see", quote=cup)
    likes = [like(BOB, cup, at=ago(hours=2)), like(BOB, cup, at=ago(hours=1)), like(CAROL, cup, at=ago(hours=1))]
    store(cup, reply, gone, quote, *likes, repost(DAN, cup, at=ago(hours=1)))
    store(delete(likes[2], at=ago(minutes=5)), delete(gone, at=ago(minutes=5)))
    store(identity(ALICE, "alice.test", at=ago(days=1)), profile(ALICE, at=ago(days=1), name="Alice A."))

    answer = service.get(ROWS, q="cafe -tea").json()

    assert answer == {
        "hitsTotal": 1,
        "posts": [
            {
                "uri": cup.uri,
                "cid": cup.cid,
                "author": {"did": ALICE, "handle": "alice.test", "displayName": "Alice A."},
                "text": "Ein Café, zwei Cafés",
                "langs": ["de"],
                "createdAt": datetime_of_micros(at),
                "likeCount": 1,
                "repostCount": 1,
                "replyCount": 1,
                "quoteCount": 1,
                "matches": [{"byteStart": 4, "byteEnd": 9}],
            }
        ],
    }


def test_the_parameters_are_those_of_the_skeleton(service: Service) -> None:
    cats = [post(ALICE, at=ago(hours=hours), text=f"pages of cats {hours}") for hours in range(1, 4)]
    store(*cats)
    first = service.get(ROWS, q="cats", limit=2).json()
    assert [row["uri"] for row in first["posts"]] == [cats[0].uri, cats[1].uri]
    assert (first["hitsTotal"], first["posts"][0]["author"]) == (3, {"did": ALICE})
    last = service.get(ROWS, q="cats", limit=2, cursor=first["cursor"]).json()
    assert [row["uri"] for row in last["posts"]] == [cats[2].uri]
    assert "hitsTotal" not in last
    assert "cursor" not in last
    assert service.refused(ROWS, q="-cats") == (
        400,
        "BadQueryString",
        "q, at character 1: the query only excludes posts: add a word that they must have",
    )


def test_a_query_that_no_index_helps_says_how_far_it_looked(service: Service) -> None:
    near, far = (post(ALICE, at=ago(hours=hours), text="x", langs=("eo",)) for hours in (2, 30))
    store(near, far)
    answer = service.search("lang:eo")
    assert [row["uri"] for row in answer["posts"]] == [near.uri]
    assert (
        datetime_of_micros(micros(ago(hours=25))) < answer["searchedSince"] < datetime_of_micros(micros(ago(hours=23)))
    )
    assert "searchedSince" not in service.search("lang:eo x")
    assert service.get(ROWS, q="lang:eo").json()["searchedSince"].startswith(answer["searchedSince"][:15])


def test_every_match_up_to_a_thousand_is_counted(service: Service) -> None:
    start = micros(ago(hours=5))
    many = [post(BOB, at=start + number * 1_000, text=f"counted {number}") for number in range(1_002)]
    store(*many)
    assert "hitsTotal" not in service.search("counted")
    store(*(delete(row, at=ago(minutes=1)) for row in many[:2]))
    assert service.search("counted")["hitsTotal"] == 1_000
    store(account(BOB, active=False, status="takendown", at=ago()))
    assert service.search("counted -x", limit=100) == {"hitsTotal": 0, "posts": []}


def test_a_top_walk_keeps_its_order_and_leaves_out_what_is_gone(service: Service, valkey: redis.Redis) -> None:
    posts = [post(ALICE, at=ago(hours=9 - number), text=f"ordered {number}") for number in range(4)]
    store(*posts, repost(BOB, posts[0], at=ago(hours=1)), like(BOB, posts[1], at=ago(hours=1)))
    first = service.search("ordered", sort="top", limit=1)
    assert first["posts"] == [{"uri": posts[0].uri}]
    store(*(like(actor, posts[2], at=ago(minutes=9)) for actor in (BOB, CAROL, DAN)), delete(posts[3], at=ago()))
    second = service.search("ordered", sort="top", limit=5, cursor=first["cursor"])
    assert second["posts"] == [{"uri": posts[1].uri}, {"uri": posts[2].uri}]
    assert "cursor" not in second
    assert service.search("ordered", sort="top", limit=1) == first
    # Another question has the new order.
    assert service.found("ordered is:root", sort="top")[0] == posts[2].uri


def test_a_top_walk_ends_when_its_result_is_gone(service: Service) -> None:
    store(*(post(ALICE, at=ago(hours=number), text="ended") for number in (1, 2)))
    cursor = service.search("ended", sort="top", limit=1)["cursor"]
    name, start = cursor_format.decode(top_results.CURSOR_KIND, cursor, str, int)
    assert start == 1
    old = cursor_format.encode(top_results.CURSOR_KIND, name[:16] + "1", 1)
    assert service.search("ended", sort="top", cursor=old) == {"posts": []}
    behind = cursor_format.encode(top_results.CURSOR_KIND, name, 5_000)
    assert service.search("ended", sort="top", cursor=behind) == {"posts": []}
    assert service.refused(SEARCH, q="other", sort="top", cursor=cursor) == (
        400,
        "InvalidRequest",
        "cursor: the cursor belongs to another search",
    )


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, [0, 1]),
        ({"since": "20 days"}, [0, 1, 2]),
        ({"since": "90 days"}, [0, 1, 2]),
        ({"until": "3 days"}, [1]),
        ({"until": "35 days"}, [3]),
    ],
)
def test_the_period_of_top_is_a_week_or_as_asked_and_at_most_thirty_days(
    service: Service, more: dict[str, str], found: list[int]
) -> None:
    posts = [post(ALICE, at=ago(days=days), text="period") for days in (1, 6, 19, 40)]
    store(*posts)
    asked = {name: datetime_of_micros(micros(ago(days=int(days.split()[0])))) for name, days in more.items()}
    assert service.found("period", sort="top", **asked) == [posts[number].uri for number in found]


def test_top_results_are_shared_through_redis_and_bounded(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_results, "MEMORY", 3 * top_results.RESULT_BYTES)
    for number in range(5):
        top_results._store(valkey, f"n{number}", b"packed")
    kept = sorted(key.decode().rpartition(":")[2] for key in valkey.scan_iter(top_results._PREFIX + "*"))
    assert kept == ["n2", "n3", "n4"]
    assert valkey.ttl(top_results._PREFIX + "n4") == pytest.approx(600, abs=5)
    assert top_results._read("n4") == b"packed"
    assert top_results._read("n0") is None


def test_an_account_that_hides_from_people_who_are_not_signed_in_is_found_with_a_viewer(service: Service) -> None:
    private, public = post(ALICE, at=ago(hours=2), text="shy"), post(BOB, at=ago(hours=3), text="shy")
    shy = record(
        ALICE,
        PROFILE,
        {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}},
        at=ago(days=1),
        rkey="self",
    )
    store(private, public, shy)
    for sort in ("latest", "top"):
        assert service.found("shy", sort=sort) == [public.uri]
        assert service.found("shy", sort=sort, viewer=BOB) == [private.uri, public.uri]
    assert service.search("shy")["hitsTotal"] == 1
