"""Plans of clean-ups: what goes, what is kept, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from atsite.core.atproto.tid import tid_of_micros
from search.cleanup.planning.plan import Gate, Going, Kept, Plan, hours_needed, make_plan
from search.cleanup.planning.protections import PostCounts, RepoRecord
from search.cleanup.planning.reasons import Reason
from search.cleanup.planning.record_types import LIKE, POST, RecordType
from tests.search.cleanup.repo import (
    CID,
    DAY,
    DID,
    NOW,
    OLD,
    OTHER,
    gate,
    like,
    outcome,
    plan,
    post,
    profile,
    ref,
    reply_to,
    repost,
    rules,
    uri,
)

A, PIN = f"{POST}/a", "app.bsky.actor.profile/self"
IMAGES: dict[str, Any] = {"embed": {"$type": "app.bsky.embed.images", "images": [{}]}}
FACET = {"features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://blog.example.com/1"}]}


def test_a_plan_says_all_of_what_it_does() -> None:
    made = plan(
        post("new", OLD + DAY, **reply_to(uri("a")), **IMAGES),
        post("a"),
        gate("a"),
        gate("a", "postgate"),
        repost(uri("x", did=OTHER)),
        profile(ref(uri("pin"))),
        post("pin"),
        types=["post", "reply", "post_with_media"],
    )
    assert made == Plan(
        did=DID,
        cutoff_us=NOW,
        records=7,
        going=(
            Going(uri("a"), CID, frozenset({RecordType.POST}), OLD),
            Going(uri("new"), CID, frozenset({RecordType.REPLY, RecordType.POST_WITH_MEDIA}), OLD + DAY),
        ),
        gates=(
            Gate(uri("a", collection="app.bsky.feed.postgate"), CID),
            Gate(uri("a", collection="app.bsky.feed.threadgate"), CID),
        ),
        kept=(
            Kept(Reason.NOT_CHOSEN, uri("repost", collection="app.bsky.feed.repost")),
            Kept(Reason.OTHER_COLLECTION, f"at://{DID}/{PIN}"),
            Kept(Reason.PINNED, uri("pin")),
        ),
        digest="640b5fda1b7d11c03ad2da677917aa1a261efebe9da5542d5ce83684f0007767",
    )
    assert made.deletes == 4
    assert made.going_by_type == {RecordType.POST: 1, RecordType.REPLY: 1, RecordType.POST_WITH_MEDIA: 1}
    assert made.kept_by_reason == {Reason.NOT_CHOSEN: 1, Reason.OTHER_COLLECTION: 1, Reason.PINNED: 1}
    assert (made.oldest_us, made.newest_us) == (OLD, OLD + DAY)


def test_an_empty_plan_has_no_dates() -> None:
    made = plan()
    assert (made.deletes, made.oldest_us, made.newest_us, made.going_examples) == (0, None, None, {})


def test_a_plan_shows_three_examples_of_each() -> None:
    made = plan(*[post(f"p{n}", OLD + n) for n in range(5)], *[post(f"new{n}", NOW + n) for n in range(4)])
    assert {each: [going.uri for going in some] for each, some in made.going_examples.items()} == {
        RecordType.POST: [uri("p0"), uri("p1"), uri("p2")]
    }
    assert made.kept_examples == {Reason.TOO_NEW: (uri("new0"), uri("new1"), uri("new2"))}


@pytest.mark.parametrize(
    ("more", "record", "becomes"),
    [
        # Texts
        ({"keep_texts": ["hELLo"]}, post(text="Oh, HELLO!"), "TEXT"),
        ({"keep_texts": ["straße"]}, post(text="STRASSE"), "TEXT"),
        ({"keep_texts": ["e\u0301"]}, post(text="É"), "TEXT"),
        ({"keep_texts": ["bye", "hell"]}, post(), "TEXT"),
        ({"keep_texts": ["bye"]}, post(), "post"),
        # Domains
        ({"keep_domains": ["example.com"]}, post(facets=[FACET]), "DOMAIN"),
        ({"keep_domains": ["blog.example.com"]}, post(facets=[FACET]), "DOMAIN"),
        ({"keep_domains": ["log.example.com"]}, post(facets=[FACET]), "post"),
        ({"keep_domains": ["example.com"]}, post(facets="none"), "LINK_UNREADABLE"),
        ({"keep_domains": ["example.com"]}, post(facets=[{"features": 7}]), "LINK_UNREADABLE"),
        ({}, post(facets="none"), "post"),
        # Addresses
        ({"keep_uris": [uri("a")]}, post(), "KEPT_BY_ADDRESS"),
        ({"keep_uris": [f"at://mira.example.com/{A}"]}, post(), "KEPT_BY_ADDRESS"),
        ({"keep_uris": [uri("a", did=OTHER)]}, post(), "post"),
        # Likes and replies
        ({"keep_above_likes": 4, "counts": {uri("a"): PostCounts(5, 0)}}, post(), "MANY_LIKES"),
        ({"keep_above_likes": 5, "counts": {uri("a"): PostCounts(5, 0)}}, post(), "post"),
        ({"keep_above_likes": 5}, post(), "LIKES_UNKNOWN"),
        ({"keep_above_likes": 5, "counts": {uri("a"): (None, 0)}}, post(), "LIKES_UNKNOWN"),
        ({"keep_above_likes": 5, "counts": {uri("a"): {"likeCount": 1}}}, post(), "LIKES_UNKNOWN"),
        ({"keep_replied_to": True, "counts": {uri("a"): PostCounts(0, 1)}}, post(), "REPLIED_TO"),
        ({"keep_replied_to": True, "counts": {uri("a"): PostCounts(9, 0)}}, post(), "post"),
        ({"keep_replied_to": True}, post(), "REPLIES_UNKNOWN"),
        ({"keep_replied_to": True, "counts": {uri("a"): (0, -1)}}, post(), "REPLIES_UNKNOWN"),
        # Dates
        ({}, post(createdAt="yesterday"), "UNDATABLE"),
        ({}, post(createdAt=7), "UNDATABLE"),
        ({}, post(createdAt="1024-01-01T00:00:00Z"), "UNDATABLE"),
        ({}, post(createdAt="3024-01-01T00:00:00Z"), "UNDATABLE"),
        ({}, post(createdAt="1999-12-31T23:59:59.999999Z"), "UNDATABLE"),
        ({}, post(createdAt="2000-01-01T00:00:00Z"), "post"),
        # Types
        ({"types": ["post_with_media", "quote"]}, post(), "NOT_CHOSEN"),
        ({"types": ["reply"]}, post(**reply_to(uri("x")), **IMAGES), "NOT_CHOSEN"),
        ({"types": ["post_with_media"]}, post(**reply_to(uri("x")), **IMAGES), "NOT_CHOSEN"),
        ({}, post(**reply_to(uri("x")), **IMAGES), "post_with_media reply"),
        ({}, post(embed={"$type": "app.bsky.embed.poll"}), "UNKNOWN_EMBED"),
        ({}, post(reply=None), "NOT_UNDERSTOOD"),
    ],
)
def test_a_post_goes_or_is_kept_for_its_reason(more: dict[str, Any], record: RepoRecord, becomes: str) -> None:
    assert outcome(plan(record, **more)) == {A: becomes}


def test_a_pinned_post_is_kept_unless_switched_off() -> None:
    records = (post("a"), post("b"), profile(ref(uri("a"))))
    assert outcome(plan(*records)) == {A: "PINNED", f"{POST}/b": "post", PIN: "OTHER_COLLECTION"}
    assert outcome(plan(*records, keep_pinned=False))[A] == "post"
    assert outcome(plan(post("a"), profile(ref(f"at://mira.example.com/{A}"))))[A] == "PINNED"
    assert outcome(plan(post("a"), profile(ref(uri("a", did=OTHER)))))[A] == "post"


@pytest.mark.parametrize("pinned", [None, 7, {"uri": 7}, "at://x"])
def test_every_post_is_kept_where_the_pinned_one_is_not_known(pinned: object) -> None:
    assert outcome(plan(post("a"), profile(pinned)))[A] == "PIN_UNKNOWN"
    assert outcome(plan(post("a"), profile(pinned), keep_pinned=False))[A] == "post"


def test_a_self_liked_post_is_kept_with_its_like_unless_switched_off() -> None:
    records = (post("a"), like(uri("a")), like(uri("a", did=OTHER), "l2"), like(uri("gone"), "l3"))
    others = {f"{LIKE}/l2": "like", f"{LIKE}/l3": "like"}
    assert outcome(plan(*records)) == {A: "SELF_LIKED", f"{LIKE}/like": "MARKS_OWN_POST", **others}
    assert outcome(plan(*records, keep_self_liked=False)) == {A: "post", f"{LIKE}/like": "like", **others}
    # The next plan, after the first was carried out, still protects it.
    assert outcome(plan(*records[:2]))[A] == "SELF_LIKED"


def test_own_direct_replies_are_no_replies_of_others() -> None:
    thread = (post("a"), post("b", **reply_to(uri("a"))), post("c", **reply_to(uri("b"))))
    counts = {uri("a"): PostCounts(0, 1), uri("b"): PostCounts(0, 2), uri("c"): PostCounts(0, 0)}
    made = plan(*thread, counts=counts, keep_replied_to=True)
    assert outcome(made) == {A: "post", f"{POST}/b": "REPLIED_TO", f"{POST}/c": "reply"}


def test_a_reply_that_the_appview_may_not_count_is_not_subtracted() -> None:
    counts = {uri("a"): PostCounts(0, 1)}
    for odd in (
        post("b", **reply_to(uri("a")), text=None),
        post("b", **reply_to(f"at://mira.example.com/{A}")),
        post("b", **reply_to(uri("a", did=OTHER))),
    ):
        assert outcome(plan(post("a"), odd, counts=counts, keep_replied_to=True))[A] == "REPLIED_TO"
    twice = post("b", **reply_to(uri("a")))
    two = {uri("a"): PostCounts(0, 2)}
    assert outcome(plan(post("a"), twice, twice, counts=two, keep_replied_to=True))[A] == "REPLIED_TO"


def test_a_plan_without_counts_names_the_posts_to_count() -> None:
    made = plan(post("a"), post("b", text="Keep"), post("c", NOW), keep_texts=["keep"], keep_above_likes=1)
    assert made.uncounted == (uri("a"),)


def test_gates_go_only_with_their_deleted_post() -> None:
    made = plan(
        post("a"),
        post("new", NOW),
        gate("a"),
        gate("a", "postgate"),
        gate("new"),
        gate("gone"),
        post("b"),
        gate("b", of=uri("a")),
        gate("b", "postgate"),
        keep_uris=[uri("b", collection="app.bsky.feed.postgate")],
    )
    threadgate, postgate = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
    assert outcome(made) == {
        A: "post",
        f"{POST}/b": "post",
        f"{POST}/new": "TOO_NEW",
        f"{threadgate}/a": "gate",
        f"{postgate}/a": "gate",
        f"{threadgate}/new": "GATE_OF_NO_DELETED_POST",
        f"{threadgate}/gone": "GATE_OF_NO_DELETED_POST",
        f"{threadgate}/b": "NOT_UNDERSTOOD",
        f"{postgate}/b": "KEPT_BY_ADDRESS",
    }


def test_records_without_one_valid_address_are_kept() -> None:
    odd: Any = [
        RepoRecord(POST, "a/b", CID, {}),
        RepoRecord(POST, "a", "", {}),
        RepoRecord(None, 7, [], {}),  # type: ignore[arg-type]
    ]
    assert plan(*odd).kept == (Kept(Reason.NO_ADDRESS, f"at://{DID}"),) * 3
    assert plan(post("a"), post("a")).kept == (Kept(Reason.LISTED_TWICE, uri("a")),) * 2


def test_a_like_that_cannot_be_deleted_still_protects() -> None:
    assert outcome(plan(post("a"), like(uri("a"))._replace(cid="")))[A] == "SELF_LIKED"


@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_the_cut_off_is_exact_to_the_microsecond(distance: int) -> None:
    cutoff = datetime(2026, 1, 1, 0, 0, 0, 500, tzinfo=UTC)
    us = 1_767_225_600_000_500 + distance
    written = post(createdAt=f"2026-01-01T00:00:00.{500 + distance:06}Z")
    by_rkey = post(tid_of_micros(us, 1023))
    for record in (written, by_rkey):
        made = make_plan(DID, [record], rules(delete_before=cutoff), {}, NOW)
        assert outcome(made) == {record.path: "post" if distance < 0 else "TOO_NEW"}


def test_the_later_of_created_at_and_rkey_is_the_date() -> None:
    early, late = OLD, OLD + 5 * DAY
    for rkey_us, created_us in ((early, late), (late, early)):
        assert plan(post(tid_of_micros(rkey_us), created_us)).oldest_us == late


def test_a_created_at_up_to_a_day_ahead_is_a_date() -> None:
    in_two_days = datetime.fromtimestamp((NOW + 2 * DAY) / 1e6, UTC)
    day_ahead, more = NOW + DAY, NOW + DAY + 1_000
    assert outcome(plan(post("a", day_ahead), post("b", more), delete_before=in_two_days)) == {
        A: "post",
        f"{POST}/b": "UNDATABLE",
    }


@pytest.mark.parametrize(
    ("deletes", "hours"),
    [(0, 0), (1, 1), (4_000, 1), (4_001, 2), (30_000, 8), (30_001, 25), (60_000, 32), (60_001, 49)],
)
def test_the_hours_follow_from_the_limits_of_the_hour_and_the_day(deletes: int, hours: int) -> None:
    made = Plan(DID, 0, deletes, (Going(uri("a"), CID, frozenset(), 0),) * deletes, (), (), "")
    assert hours_needed(made) == hours


def test_the_hours_count_gates_and_know_other_limits() -> None:
    made = plan(post("a"), gate("a"))
    assert hours_needed(made, per_hour=1) == 2
    assert hours_needed(made, per_hour=1, per_day=1) == 25
    assert hours_needed(made, per_hour=1, per_day=30_000) == 2
    with pytest.raises(ValueError, match="a limit of 0 points allows no deletes"):
        hours_needed(made, per_hour=0)


def test_every_reason_has_a_sentence() -> None:
    sentences = [reason.sentence for reason in Reason]
    assert len(set(sentences)) == len(Reason)
    assert [text for text in sentences if not text.endswith(".")] == []
