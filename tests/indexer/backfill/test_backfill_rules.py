"""What a page of a repo's records means for what is held already."""

from __future__ import annotations

import json

import pytest

from atsite.core.atproto.syntax import Did
from indexer.backfill.listing_comparison import (
    ABOVE_ALL,
    CollectionListing,
    Held,
    Listed,
    Page,
    Span,
    UnreadablePage,
    fold,
    parse_page,
    span_of,
    to_ask,
    tombstones,
)
from tests.indexer.frames import CID, POST, T0, did

REV = "3mmmmmmmmmmm2"
VERSION = 0x7_0000_0000
OLD, NEW = 1, 1 << 62
SOURCE = CollectionListing(Did(did(1)), POST, REV, T0 * 2)
VALUE = b'{"$type":"app.bsky.feed.post","text":"hello"}'
ALL = Span("", ABOVE_ALL)


def page(*rkeys: str, cursor: str = "", cid: str = CID, value: bytes = VALUE) -> Page:
    return Page(tuple(Listed(rkey, cid, value) for rkey in rkeys), cursor)


def written(given: Page, held: dict[str, Held], span: Span = ALL) -> tuple[list[tuple[str, str]], list[str], int]:
    folded = fold(given, span, held, SOURCE)
    assert {event.rev for event in folded.events} <= {REV}
    assert {event.repo for event in folded.events} <= {SOURCE.did}
    records = [(event.rkey, event.operation) for event in folded.events]
    return records, folded.missing, folded.unreadable


def test_a_listed_record_that_is_not_held_is_created_under_the_rev_of_the_repo() -> None:
    (event,) = fold(page("b"), ALL, {}, SOURCE).events
    assert (event.rkey, event.operation, event.rev, event.cid, event.record_json) == ("b", "create", REV, CID, VALUE)


@pytest.mark.parametrize(
    ("held", "records", "removed"),
    [
        (Held(OLD, deleted=False, cid=CID), [], []),
        (Held(OLD, deleted=False, cid="other"), [("b", "update")], []),
        (Held(OLD, deleted=False, cid=""), [("b", "update")], []),
        (Held(OLD, deleted=True, cid=""), [("b", "create")], []),
        (Held(NEW, deleted=True, cid=""), [], []),
        (Held(NEW, deleted=False, cid="other"), [], []),
    ],
    ids=["same", "another", "unknown", "deleted before", "deleted since", "changed since"],
)
def test_a_listed_record_replaces_what_is_older_and_other(
    held: Held, records: list[tuple[str, str]], removed: list[str]
) -> None:
    assert written(page("b"), {"b": held}) == (records, removed, 0)


@pytest.mark.parametrize(
    ("held", "removed"),
    [
        (Held(OLD, deleted=False, cid=CID), ["b"]),
        (Held(OLD, deleted=True, cid=""), []),
        (Held(NEW, deleted=False, cid=CID), []),
    ],
    ids=["alive", "deleted", "made since"],
)
def test_what_is_held_and_not_listed_is_missing_unless_it_is_newer(held: Held, removed: list[str]) -> None:
    assert written(page("c", "a"), {"b": held}) == ([("c", "create"), ("a", "create")], removed, 0)


def test_a_record_that_cannot_be_read_is_counted_and_what_is_held_of_it_stays() -> None:
    deep = b'{"a":' * 600 + b"1" + b"}" * 600
    assert written(page("b", value=deep), {"b": Held(OLD, deleted=False, cid=CID)}) == ([], [], 1)
    assert written(page("b", value=b"[1]"), {}) == ([], [], 1)


def test_records_older_than_the_range_are_left_out() -> None:
    assert written(page("c", "b", "a"), {}, Span("b", ABOVE_ALL)) == ([("c", "create"), ("b", "create")], [], 0)


def test_a_page_tells_about_the_keys_from_its_last_record_on_and_the_last_page_about_all_that_are_left() -> None:
    assert span_of(page("k", "j", cursor="j"), since="b", high=ABOVE_ALL) == Span("j", ABOVE_ALL)
    assert span_of(page("e", cursor="e"), since="b", high="j") == Span("e", "j")
    assert span_of(page("d"), since="b", high="e") == Span("b", "e")
    assert span_of(page("c", "a", cursor="a"), since="b", high="e") == Span("b", "e")
    assert span_of(page(), since="b", high="e") == Span("b", "e")


def test_an_empty_page_with_a_cursor_tells_about_nothing() -> None:
    assert span_of(page(cursor="d"), since="b", high="e") == Span("e", "e")
    assert span_of(page(cursor="b"), since="", high=ABOVE_ALL) == Span(ABOVE_ALL, ABOVE_ALL)


def test_what_could_be_missing_is_what_is_held_alive_and_older_than_the_rev() -> None:
    held = {
        "d": Held(OLD, deleted=False, cid=CID),
        "c": Held(OLD, deleted=True, cid=""),
        "b": Held(NEW, deleted=False, cid=CID),
        "a": Held(OLD, deleted=False, cid=CID),
    }
    folded = fold(page("d"), ALL, held, SOURCE)
    assert (folded.alive, folded.missing) == (2, ["a"])


def test_a_tombstone_has_the_rev_that_was_asked_before_its_page() -> None:
    events = tombstones([[REV, "b"], ["3mmmmmmmmmmm3", "c"], (REV, "a")], SOURCE)
    assert {(event.rkey, event.rev, event.operation, event.repo) for event in events} == {
        ("a", REV, "delete", SOURCE.did),
        ("b", REV, "delete", SOURCE.did),
        ("c", "3mmmmmmmmmmm3", "delete", SOURCE.did),
    }


@pytest.mark.parametrize(
    ("missing", "alive", "asked"), [(20, 20, 0), (21, 42, 0), (21, 41, 10), (21, 21, 10), (5_000, 10_001, 0)]
)
def test_some_of_the_missing_are_asked_for_where_they_are_many_and_most(missing: int, alive: int, asked: int) -> None:
    keys = [(REV, f"{number:05}") for number in range(missing)]
    sample = to_ask(keys, alive)
    assert len(set(sample)) == asked
    assert not asked or (sample[0], sample[-1]) == (keys[0][1], keys[-1][1])


@pytest.mark.parametrize("given", [page("a", "b"), page("b", "b"), page("j")])
def test_records_in_another_order_prove_nothing_about_what_is_missing(given: Page) -> None:
    with pytest.raises(UnreadablePage, match="does not list records newest first"):
        span_of(given, since="", high="j")


def test_a_page_is_read_with_its_records_untouched() -> None:
    uri = f"at://{SOURCE.did}/{POST}/3k"
    body = b'{"records":[{"uri":"%s","cid":"c","value":{"a" : 1e2}}],"cursor":"3k"}' % uri.encode()
    assert parse_page(body, SOURCE.did, POST) == Page((Listed("3k", "c", b'{"a" : 1e2}'),), "3k")
    assert parse_page(b'{"records":[],"cursor":"3k"}', SOURCE.did, POST) == Page((), "3k")
    assert parse_page(b'{"records":[]}', SOURCE.did, POST) == Page((), "")


def test_one_odd_record_does_not_spoil_its_page() -> None:
    records = [{"uri": f"at://x/{POST}/{key}", "cid": CID, "value": {"text": "X"}} for key in ("b", "a")]
    for odd in (rb"\ud800", b"\xff", b"\x01"):
        body = json.dumps({"records": records}).encode().replace(b"X", odd, 1)
        folded = fold(parse_page(body, SOURCE.did, POST), ALL, {}, SOURCE)
        assert [event.rkey for event in folded.events] == ["b", "a"]
        assert json.loads(folded.events[1].record_json) == {"text": "X"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"records":1}', b'{"records":[{"uri":"a"}]}', b"[" * 9_999])
def test_an_answer_that_is_no_page_is_an_error(body: bytes) -> None:
    with pytest.raises(UnreadablePage):
        parse_page(body, SOURCE.did, POST)


@pytest.mark.parametrize(
    "uri", [f"at://{did(2)}/{POST}/3k", f"at://{SOURCE.did}/app.bsky.feed.like/3k", f"at://{SOURCE.did}/3k", "3k", ""]
)
def test_a_list_of_another_repo_or_collection_is_an_error(uri: str) -> None:
    body = json.dumps({"records": [{"uri": uri, "cid": CID, "value": {"text": "x"}}]}).encode()
    with pytest.raises(UnreadablePage, match="among the records of"):
        parse_page(body, SOURCE.did, POST)
