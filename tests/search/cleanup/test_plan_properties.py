"""What holds for every plan of a clean-up, of any records."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from atsite.core.atproto.timestamps import datetime_of_micros
from search.cleanup.planning.plan import COLLECTIONS, Plan, hours_needed, make_plan
from search.cleanup.planning.protections import PostCounts, RepoRecord
from search.cleanup.planning.record_types import LIKE, POST, REPOST, RecordType
from tests.search.cleanup.repo import (
    ALL,
    CID,
    DAY,
    DID,
    NOW,
    OLD,
    OTHER,
    gate,
    like,
    plan,
    post,
    profile,
    ref,
    reply_to,
    rules,
    uri,
)

OTHER_CID = CID[:-1] + "a"
KINDS: dict[RecordType, dict[str, Any]] = {
    RecordType.POST: {},
    RecordType.POST_WITH_MEDIA: {"embed": {"$type": "app.bsky.embed.video", "video": {"size": 1}}},
    RecordType.REPLY: reply_to(uri("x", did=OTHER)),
    RecordType.QUOTE: {"embed": {"$type": "app.bsky.embed.record", "record": ref(uri("x", did=OTHER))}},
}
chosen = st.sets(st.sampled_from(RecordType), min_size=1)
rkeys = st.integers(0, 30).map(lambda number: f"r{number}")


def of_type(record_type: RecordType, rkey: str) -> RepoRecord:
    if record_type in KINDS:
        return post(rkey, **KINDS[record_type])
    return like(uri("x", did=OTHER), rkey, collection=LIKE if record_type is RecordType.LIKE else REPOST)


records = st.lists(st.builds(of_type, st.sampled_from(RecordType), rkeys), unique_by=lambda record: record.path)

# Words that the code looks for, so that arbitrary values get past its first questions.
WORDS = [
    *COLLECTIONS, "$type", "text", "createdAt", "reply", "root", "parent", "embed", "record", "media", "external",
    "uri", "images", "items", "video", "subject", "facets", "features", "entities", "post", "pinnedPost", "link",
    "value",
    *(f"app.bsky.embed.{kind}" for kind in ("images", "gallery", "video", "external", "record", "recordWithMedia")),
    "app.bsky.richtext.facet#link", "https://[", "https://example.com", "2024-01-01T00:00:00Z", uri("r1"), "self", CID,
]  # fmt: skip
words = st.sampled_from(WORDS) | st.text("aé.:/İ", max_size=5) | st.just("\ud800")
json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6),
    max_leaves=12,
)


@st.composite
def hostile_record(draw: st.DrawFn) -> RepoRecord:
    """A good record with some fields replaced, or anything at all."""
    if draw(st.booleans()):
        return RepoRecord(draw(json), draw(json), draw(json), draw(json))
    good = draw(
        st.sampled_from(
            [of_type(each, "r1") for each in RecordType] + [gate("r1"), profile(ref(uri("r1"))), like(uri("r1"))]
        )
    )
    assert isinstance(good.value, dict)
    value: dict[Any, Any] = {**good.value, **draw(st.dictionaries(words, json, max_size=4))}
    if isinstance(value.get("embed"), dict):
        value["embed"] = {**value["embed"], **draw(st.dictionaries(words, json, max_size=3))}
    return good._replace(value=value)


@given(st.lists(hostile_record(), max_size=6), st.dictionaries(st.just(uri("r1")), json))
def test_nothing_raises_and_every_record_is_judged_once(hostile: list[RepoRecord], counts: Any) -> None:
    made = plan(*hostile, counts=counts, keep_texts=["x"], keep_domains=["example.com"], keep_above_likes=3)
    assert made.deletes + len(made.kept) == len(hostile)
    assert hours_needed(made) == (1 if made.deletes else 0)
    assert len(made.digest) == 64


@given(records, chosen)
def test_a_record_of_one_type_goes_exactly_when_its_type_is_chosen(some: list[RepoRecord], types: set[str]) -> None:
    each = [going_uris(plan(*some, types=[one])) for one in types]
    together = going_uris(plan(*some, types=types))
    assert together == set().union(*each)
    assert going_uris(plan(*some)) == {f"at://{DID}/{record.path}" for record in some}


@given(st.sets(st.sampled_from(sorted(KINDS)), min_size=1), chosen)
def test_a_record_of_several_types_goes_only_when_all_are_chosen(types: set[RecordType], choice: set[str]) -> None:
    assume(not types >= {RecordType.QUOTE, RecordType.POST_WITH_MEDIA})
    fields = {name: value for each in sorted(types) for name, value in KINDS[each].items()}
    real = types - {RecordType.POST} or {RecordType.POST}
    assert bool(plan(post(**fields), types=choice).going) is (real <= choice)


@given(records, st.data())
def test_what_is_protected_never_goes(some: list[RepoRecord], data: st.DataObject) -> None:
    posts = [record.path for record in some if record.collection == POST]
    pick = st.sets(st.sampled_from(posts)) if posts else st.just(set[str]())
    listed, liked, loved = data.draw(pick), data.draw(pick), data.draw(pick)
    pinned = data.draw(st.sampled_from(posts)) if posts else f"{POST}/none"
    counts = {f"at://{DID}/{path}": PostCounts(9 if path in loved else 1, 0) for path in posts}
    made = plan(
        *some,
        profile(ref(f"at://{DID}/{pinned}")),
        *(like(f"at://{DID}/{path}", f"own-{number}") for number, path in enumerate(sorted(liked))),
        counts=counts,
        keep_uris=[f"at://{DID}/{path}" for path in listed],
        keep_above_likes=5,
    )
    protected = listed | liked | loved | {pinned}
    rest = {f"at://{DID}/{record.path}" for record in some if record.path not in protected}
    assert going_uris(made) == rest


@given(st.integers(-3 * DAY, 3 * DAY), st.integers(0, 3 * DAY))
def test_a_record_goes_exactly_when_it_is_before_the_cut_off(offset: int, days_us: int) -> None:
    days = days_us // DAY
    created = NOW - days * DAY + offset
    text = datetime_of_micros(created)[:-5] + f".{created % 1_000_000:06}Z"
    assert bool(plan(post(createdAt=text), delete_until_days_ago=days).going) is (offset < 0)


@given(st.sampled_from([1024, 3024]), st.integers(1, 12), chosen)
def test_records_of_impossible_years_are_kept(year: int, month: int, types: set[str]) -> None:
    some = [
        record._replace(value={**record.value, "createdAt": f"{year}-{month:02}-01T00:00:00Z"})
        for record in (of_type(each, f"r{each}") for each in RecordType)
        if isinstance(record.value, dict)
    ]
    assert plan(*some, types=types).going == ()


@given(records, st.randoms())
def test_the_digest_does_not_depend_on_the_order(some: list[RepoRecord], random: Any) -> None:
    shuffled = random.sample(some, len(some))
    assert plan(*shuffled) == plan(*some)


@given(records.filter(bool), st.data())
def test_the_digest_changes_with_each_record_and_cid(some: list[RepoRecord], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(some) - 1))
    before, changed, after = some[:number], some[number], some[number + 1 :]
    digests = {
        plan(*some).digest,
        plan(*before, *after).digest,
        plan(*before, changed._replace(cid=OTHER_CID), *after).digest,
        plan(*before, changed._replace(rkey="another"), *after).digest,
    }
    assert len(digests) == 4


def test_the_digest_changes_with_each_rule_even_if_nothing_else_does() -> None:
    different: list[dict[str, Any]] = [
        {},
        {"types": ALL - {RecordType.LIKE}},
        {"delete_until_days_ago": 1},
        {"keep_pinned": False},
        {"keep_self_liked": False},
        {"keep_above_likes": 0},
        {"keep_replied_to": True},
        {"keep_texts": ["x"]},
        {"keep_texts": ["\ud800"]},
        {"keep_domains": ["example.com"]},
        {"keep_uris": [uri("x")]},
        {"media_hosts": []},
    ]
    assert len({plan(**more).digest for more in different}) == len(different)


@given(records)
def test_the_digest_changes_with_the_account(some: list[RepoRecord]) -> None:
    assume(some)
    assert make_plan(OTHER, some, rules(), {}, NOW).digest != plan(*some).digest


def test_gates_are_part_of_the_digest() -> None:
    assert plan(post("a", OLD), gate("a")).digest != plan(post("a", OLD)).digest


def going_uris(made: Plan) -> set[str]:
    return {record.uri for record in made.going}
