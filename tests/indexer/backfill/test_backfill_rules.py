"""What a page of a repo's records means for what is held already."""

from __future__ import annotations

import json

import pytest

from atsite.core.atproto.syntax import Did
from indexer.backfill.rules import (
    ABOVE_ALL,
    MAX_PAGES,
    Held,
    Listed,
    Listing,
    Page,
    Source,
    Span,
    UnreadablePage,
    fold,
    is_doubtful,
    parse_page,
    sample,
    span_of,
    tombstone,
)
from tests.indexer.frames import CID, POST, T0, did

REV = "3mmmmmmmmmmm2"
VERSION = 0x7_0000_0000
OLD, NEW = 1, 1 << 62
SOURCE = Source(Did(did(1)), POST, REV, T0 * 2)
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


def test_a_tombstone_is_a_delete_under_the_rev_that_was_asked_before_the_list() -> None:
    event = tombstone("b", SOURCE)
    assert (event.repo, event.rkey, event.operation, event.rev) == (SOURCE.did, "b", "delete", REV)


@pytest.mark.parametrize(
    ("missing", "held", "doubtful"),
    [(20, 20, False), (21, 21, True), (21, 41, True), (21, 42, False), (500, 1001, False), (501, 1001, True)],
)
def test_more_than_twenty_and_over_half_missing_is_doubtful(missing: int, held: int, doubtful: bool) -> None:
    assert is_doubtful(missing, held) is doubtful


def test_a_sample_is_spread_over_all_that_is_missing() -> None:
    keys = [(POST, f"{number:03}") for number in range(100)]
    assert [rkey for _, rkey in sample(keys)] == [f"{number:03}" for number in range(0, 100, 11)]
    assert sample(keys[:3]) == keys[:3]


def test_an_empty_page_with_a_cursor_tells_about_nothing() -> None:
    assert span_of(page(cursor="x"), since="b", high="j") == Span("j", "j")


def test_pages_that_lead_nowhere_are_no_listing() -> None:
    listing = Listing()
    listing.add(page("c", cursor="1"), "")
    listing.add(page("b", cursor="2"), "1")
    with pytest.raises(UnreadablePage, match="a second time"):
        listing.add(page("a", cursor="1"), "2")
    with pytest.raises(UnreadablePage, match="a second time"):
        Listing().add(page(cursor="1"), "1")
    with pytest.raises(UnreadablePage, match="does not end: 10000 pages"):
        Listing(MAX_PAGES - 1).add(page("a", cursor="1"), "")
    Listing(MAX_PAGES - 1).add(page("a"), "")
    with pytest.raises(UnreadablePage, match="does not end: 7 pages, 100 of them empty"):
        Listing(6, empty=99).add(page(cursor="1"), "")


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


@pytest.mark.parametrize("given", [page("a", "b"), page("b", "b"), page("j")])
def test_records_in_another_order_prove_nothing_about_what_is_missing(given: Page) -> None:
    with pytest.raises(UnreadablePage, match="another order"):
        span_of(given, since="", high="j")


def test_a_page_is_read_with_its_records_untouched() -> None:
    uri = f"at://{SOURCE.did}/{POST}/3k"
    body = b'{"records":[{"uri":"%s","cid":"c","value":{"a" : 1e2}}],"cursor":"3k"}' % uri.encode()
    assert parse_page(body, SOURCE) == Page((Listed("3k", "c", b'{"a" : 1e2}'),), "3k")
    assert parse_page(b'{"records":[],"cursor":"3k"}', SOURCE) == Page((), "3k")
    assert parse_page(b'{"records":[],"cursor":null}', SOURCE) == parse_page(b'{"records":[]}', SOURCE) == Page((), "")


@pytest.mark.parametrize("uri", [f"at://{did(2)}/{POST}/3k", f"at://{SOURCE.did}/app.bsky.feed.like/3k", "3k"])
def test_a_page_of_another_repo_or_collection_is_no_answer(uri: str) -> None:
    body = b'{"records":[{"uri":"%s","cid":"c","value":{}}]}' % uri.encode()
    with pytest.raises(UnreadablePage, match="another collection"):
        parse_page(body, SOURCE)


def test_one_odd_record_does_not_spoil_its_page() -> None:
    records = [{"uri": f"at://{SOURCE.did}/{POST}/{key}", "cid": CID, "value": {"text": "X"}} for key in ("b", "a")]
    for odd in (rb"\ud800", b"\xff", b"\x01"):
        body = json.dumps({"records": records}).encode().replace(b"X", odd, 1)
        folded = fold(parse_page(body, SOURCE), ALL, {}, SOURCE)
        assert [event.rkey for event in folded.events] == ["b", "a"]
        assert json.loads(folded.events[1].record_json) == {"text": "X"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"records":1}', b'{"records":[{"uri":"a"}]}', b"[" * 9_999])
def test_an_answer_that_is_no_page_is_an_error(body: bytes) -> None:
    with pytest.raises(UnreadablePage):
        parse_page(body, SOURCE)
