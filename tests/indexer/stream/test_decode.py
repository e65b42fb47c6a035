from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsite.core.clickhouse import door
from indexer.index.events import AccountEvent, Dead, DeadReason, IdentityEvent, RecordEvent, Skip, SkipReason
from indexer.stream.decode import MAX_AHEAD_US, decode
from indexer.stream.raw_frame import raw_of
from indexer.stream.repair import repaired
from tests.indexer import frames
from tests.indexer.frames import CID, MINUTE, POST, SECOND, T0
from tests.indexer.stream_fold import _number as number_of

if TYPE_CHECKING:
    from pathlib import Path

REPO = frames.did(1)
RKEY = "3mmoojp7etg2g"
REV = "3mmoojp7vgo2g"


def frame(**changes: Any) -> bytes:
    """A create of a post, with fields of the event or of its commit replaced; None takes one away."""
    commit = {"rev": REV, "operation": "create", "collection": POST, "rkey": RKEY, "record": {"text": "x"}, "cid": CID}
    event: dict[str, Any] = {"did": REPO, "time_us": T0 + 10 * SECOND, "kind": "commit", "commit": commit}
    for name, value in changes.items():
        (event if name in ("did", "time_us", "kind", "commit") else commit)[name] = value
    event["commit"] = {name: value for name, value in commit.items() if value is not None} if event["commit"] else None
    return json.dumps(event).encode()


def raw(record: bytes) -> bytes:
    """A create of a post whose record is these very bytes."""
    return frame(record="RECORD").replace(b'"RECORD"', record)


def record_of(text: bytes) -> bytes | DeadReason:
    """The bytes that are stored for a record that came as `text`, or why there are none."""
    event = decode(raw(text))
    assert isinstance(event, RecordEvent | Dead)
    return event.record_json if isinstance(event, RecordEvent) else event.reason


def test_a_create_becomes_a_row_with_the_records_own_bytes() -> None:
    assert decode(raw(b'{ "text" : "\xc3\xa9" }')) == RecordEvent(
        REPO, POST, RKEY, "create", REV, CID, b'{ "text" : "\xc3\xa9" }', T0 + 10 * SECOND, number_of(REV)
    )


@pytest.mark.parametrize("did", ["did:plc:short", "did:web:example.com:user:a", "did:example:a"])
def test_an_event_of_an_odd_did_is_stored_all_the_same(did: str) -> None:
    event = decode(frames.account(did, active=True, at=T0, seen=T0))
    assert isinstance(event, AccountEvent)
    assert event.did == did


def test_a_delete_has_neither_record_nor_cid() -> None:
    deleted = decode(frame(operation="delete"))

    assert deleted == RecordEvent(REPO, POST, RKEY, "delete", REV, "", b"", T0 + 10 * SECOND, number_of(REV))


def test_identities_and_accounts_take_their_version_from_their_own_time() -> None:
    assert decode(frames.identity(REPO, "a.example.com", at=T0, seen=T0 + SECOND)) == IdentityEvent(
        REPO, "a.example.com", T0 + SECOND, T0
    )
    assert decode(frames.account(REPO, active=False, status="deleted", at=T0, seen=T0 + SECOND)) == AccountEvent(
        REPO, False, "deleted", T0 + SECOND, T0
    )


@pytest.mark.parametrize(
    ("ahead", "version"),
    [(0, T0), (5 * SECOND, T0), (MAX_AHEAD_US, T0), (MAX_AHEAD_US + 1, T0 - MAX_AHEAD_US - 1)],
)
def test_a_time_ahead_of_the_witness_counts_until_no_clock_is_that_wrong(ahead: int, version: int) -> None:
    event = decode(frames.account(REPO, active=True, at=T0, seen=T0 - ahead))

    assert isinstance(event, AccountEvent)
    assert event.version == version


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"did": "did:plc:"}, DeadReason.BAD_DID),
        ({"did": "alice.example.com"}, DeadReason.BAD_DID),
        ({"did": None}, DeadReason.BAD_FRAME),
        ({"did": 7}, DeadReason.BAD_FRAME),
        ({"time_us": 0}, DeadReason.BAD_TIME),
        ({"time_us": -1}, DeadReason.BAD_TIME),
        ({"time_us": 1 << 53}, DeadReason.BAD_TIME),
        ({"time_us": "now"}, DeadReason.BAD_FRAME),
        ({"kind": None}, DeadReason.BAD_FRAME),
        ({"commit": None}, DeadReason.BAD_FRAME),
        ({"collection": "posts"}, DeadReason.BAD_COLLECTION),
        ({"rkey": ""}, DeadReason.BAD_RKEY),
        ({"rkey": "a/b"}, DeadReason.BAD_RKEY),
        ({"rkey": ".."}, DeadReason.BAD_RKEY),
        ({"rkey": "k" * 513}, DeadReason.BAD_RKEY),
        ({"operation": "upsert"}, DeadReason.BAD_OPERATION),
        ({"rev": "3mmoojp7vgo2"}, DeadReason.BAD_REV),
        ({"rev": "0mmoojp7vgo2g"}, DeadReason.BAD_REV),
        ({"rev": "jzzzzzzzzzzzz"}, DeadReason.REV_AHEAD),
        ({"record": None}, DeadReason.BAD_RECORD),
        ({"record": [1, 2]}, DeadReason.BAD_RECORD),
        ({"record": "text"}, DeadReason.BAD_RECORD),
        ({"cid": "b" * 257}, DeadReason.BAD_CID),
    ],
)
def test_what_breaks_the_protocol_is_a_dead_letter_with_its_reason(changes: dict[str, Any], reason: DeadReason) -> None:
    event = decode(frame(**changes))

    assert isinstance(event, Dead)
    assert (event.reason, event.payload) == (reason, frame(**changes))


def test_a_rev_five_minutes_ahead_is_a_fast_clock_and_more_is_a_forgery() -> None:
    at = T0 + 5 * MINUTE
    assert isinstance(
        decode(frames.post(REPO, RKEY, "x", at=at).replace(str(at + 250_000).encode(), b"%d" % T0)), RecordEvent
    )
    late = decode(frames.commit(REPO, POST, RKEY, {}, at=at + 1, seen=T0))
    assert isinstance(late, Dead)
    assert (late.reason, late.time_us) == (DeadReason.REV_AHEAD, T0)


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", ""])
def test_an_account_event_without_a_usable_time_is_a_dead_letter(text: str) -> None:
    event = decode(frames.account(REPO, active=True, at=T0).replace(frames.iso(T0).encode(), text.encode()))

    assert isinstance(event, Dead)
    assert event.reason is DeadReason.BAD_TIME


@pytest.mark.parametrize(
    "handle",
    [
        None,
        "",
        "no handle",
        "dora.test.",
        "münchen.test",
        "\u212aelvin.test",
        "a" * 300 + ".test",
        5,
        True,
        [],
        {"a": 1},
    ],
)
def test_an_identity_event_without_a_usable_handle_says_ask_again(handle: object) -> None:
    line = json.loads(frames.identity(REPO, "x.test", at=T0))
    line["identity"]["handle"] = handle
    assert decode(json.dumps(line).encode()) == IdentityEvent(REPO, "", T0 + 250_000, T0)


@pytest.mark.parametrize("status", [None, 5, True, [], {"a": 1}, "x" * 65])
def test_an_account_is_inactive_whatever_its_status_is(status: object) -> None:
    line = json.loads(frames.account(REPO, active=False, at=T0))
    line["account"]["status"] = status
    assert decode(json.dumps(line).encode()) == AccountEvent(
        REPO, active=False, status="", time_us=T0 + 250_000, version=T0
    )


@pytest.mark.parametrize("handle", ["Dora.Field.Test", "dora.field.test", "Handle.Invalid"])
def test_handles_are_lower_case(handle: str) -> None:
    assert decode(frames.identity(REPO, handle, at=T0)) == IdentityEvent(REPO, handle.lower(), T0 + 250_000, T0)


def test_unknown_kinds_are_skipped_and_still_have_their_time() -> None:
    assert decode(b'{"kind":"sync","time_us":%d,"sync":{"did":7}}' % T0) == Skip(SkipReason.UNKNOWN_KIND, T0)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":1}x', b"{'a':1}", b"\x00"])
def test_no_json_is_a_dead_letter(text: bytes) -> None:
    event = decode(text)

    assert isinstance(event, Dead)
    assert event.reason in (DeadReason.MALFORMED, DeadReason.BAD_FRAME)
    assert (event.payload, event.time_us) == (text, 0)


@pytest.mark.parametrize(
    ("came", "stored"),
    [
        (b'{"text":"a\\ud800b"}', '{"text":"a\ufffdb"}'),
        (b'{"text":"a\\ude00b"}', '{"text":"a\ufffdb"}'),
        (b'{"text":"\\ud83d\\ude00"}', '{"text":"\\ud83d\\ude00"}'),
        (b'{"\\ud800":1}', '{"\ufffd":1}'),
        (b'{"text":"a","n":1e999}', '{"text":"a","n":null}'),
        (b'{"text":"a","n":-1e999}', '{"text":"a","n":null}'),
        (b'{"text":"a","n":NaN}', '{"text":"a","n":null}'),
        (b'{"text":"a","n":Infinity}', '{"text":"a","n":null}'),
        (b'{"text":"a\x01b"}', '{"text":"a\\u0001b"}'),
        (b'{"text":"a\x00b"}', '{"text":"a\\u0000b"}'),
        (b'{"text":"a\nb"}', '{"text":"a\\nb"}'),
        (b'{"text":"a\xffb"}', '{"text":"a\ufffdb"}'),
        (b'{"text":"\xed\xa0\x80"}', '{"text":"\ufffd\ufffd\ufffd"}'),
        (b'{"text":"a\x01","text":"b"}', '{"text":"a\\u0001"}'),
        (b'{"text":"a","n":' + b"9" * 400 + b"}", '{"text":"a","n":' + "9" * 400 + "}"),
        (b'{"text":"a","n":' + b"9" * 5000 + b"}", '{"text":"a","n":null}'),
    ],
)
def test_what_clickhouse_would_read_as_nothing_is_stored_repaired(came: bytes, stored: str) -> None:
    assert record_of(came) == stored.encode()


def test_the_repair_keeps_a_whole_number_of_300_digits_and_blanks_a_longer_one() -> None:
    kept, longer = b"9" * 300, b"9" * 301
    assert repaired(b'{"a":%b,"b":%b}' % (kept, longer)) == b'{"a":%b,"b":null}' % kept


@pytest.mark.parametrize(
    ("came", "reason"),
    [
        (b'{"a":1/**/}', DeadReason.MALFORMED),
        (b'{"a":01}', DeadReason.MALFORMED),
        (b'{"a":+1}', DeadReason.MALFORMED),
        (b'{"a":1,}', DeadReason.MALFORMED),
        (b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", DeadReason.TOO_DEEP),
        (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", DeadReason.TOO_DEEP),
        (b'{"a":' + b"[" * 200_000, DeadReason.TOO_DEEP),
    ],
)
def test_what_cannot_be_repaired_is_a_dead_letter(came: bytes, reason: DeadReason) -> None:
    assert record_of(came) is reason


def test_brackets_in_a_text_are_no_nesting() -> None:
    text = b'{"text":"' + b"[" * 2000 + b'\\""}'

    assert record_of(text) == text


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "records", "identities", "accounts"), [("golden_v1", 8, 1, 1), ("expected_v1", 150, 1, 1)]
)
def test_captured_frames_decode_to_themselves(
    name: str, records: int, identities: int, accounts: int, shared_data: Path
) -> None:
    lines = (shared_data / "jetstream" / f"{name}.jsonl").read_bytes().splitlines()
    events = [decode(line) for line in lines]

    kinds = [type(event) for event in events]
    assert (kinds.count(RecordEvent), kinds.count(IdentityEvent), kinds.count(AccountEvent)) == (
        records,
        identities,
        accounts,
    )
    for event, line in zip(events, lines, strict=True):
        assert isinstance(event, RecordEvent | IdentityEvent | AccountEvent)
        came = json.loads(line)
        assert (event.time_us, came["did"]) == (came["time_us"], getattr(event, "repo", None) or event.did)  # type: ignore[union-attr]
        if isinstance(event, RecordEvent):
            commit = came["commit"]
            record = json.loads(event.record_json) if event.record_json else None
            assert (event.collection, event.rkey, event.operation, event.rev, event.cid, record) == (
                commit["collection"], commit["rkey"], commit["operation"], commit["rev"],
                commit.get("cid", ""), commit.get("record"),
            )  # fmt: skip
            assert event.version == number_of(commit["rev"])


def test_an_event_written_back_as_a_frame_decodes_to_itself() -> None:
    stream = [
        frame(),
        frame(operation="delete"),
        frames.identity(REPO, "a.example.com", at=T0 + 123_457),
        frames.account(REPO, active=False, status="suspended", at=T0),
    ]
    for line in stream:
        event = decode(line)
        assert isinstance(event, RecordEvent | IdentityEvent | AccountEvent)
        assert decode(raw_of(event)) == event


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ANY_FRAME = st.one_of(
    st.binary(max_size=300),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "did": JSON | st.just(REPO),
            "time_us": JSON | st.just(T0),
            "kind": st.sampled_from(["commit", "identity", "account", "sync"]) | JSON,
            "commit": st.fixed_dictionaries(
                {},
                optional={
                    "rev": JSON | st.just(REV),
                    "operation": st.sampled_from(["create", "update", "delete"]) | JSON,
                    "collection": st.just(POST) | JSON,
                    "rkey": st.just(RKEY) | JSON,
                    "record": JSON,
                    "cid": JSON | st.just(CID),
                },
            )
            | JSON,
            "identity": st.fixed_dictionaries({}, optional={"time": JSON, "handle": JSON}) | JSON,
            "account": st.fixed_dictionaries({}, optional={"time": JSON, "active": JSON, "status": JSON}) | JSON,
        },
    ).map(lambda value: json.dumps(value).encode()),
)


@given(ANY_FRAME)
@settings(max_examples=400, deadline=None)
def test_nothing_that_comes_makes_it_raise(line: bytes) -> None:
    event = decode(line)

    if isinstance(event, Dead):
        assert event.payload == line
        assert len(event.detail) <= 200
    if isinstance(event, RecordEvent) and event.operation != "delete":
        assert isinstance(msgspec.json.decode(event.record_json), dict)


@given(st.binary(max_size=40), st.integers(min_value=0, max_value=300))
@settings(max_examples=300, deadline=None)
def test_a_frame_damaged_anywhere_does_not_make_it_raise(damage: bytes, position: int) -> None:
    line = frame(record={"text": "é", "n": [1.5, {"a": None}]})

    decode(line[:position] + damage + line[position + len(damage) :])


SCRAPS = st.sampled_from(
    [b'"a"', b"1", b"-", b"0", b".", b"e", b"E", b"+", b"9" * 30, b"1e308", b"1e309", b"1.8e308", b"\\u", b"d8", b"00",
     b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\x1f", b"\x7f", b"\xc3", b"\xa9", b"\xed\xa0\x80", b"\xf0\x9f",
     b"null", b"NaN", b" ", b"\n", b"\\ud83d\\ude00", b"\\udc00", b"/**/", b"\xef\xbb\xbf"]
)  # fmt: skip


@pytest.mark.usefixtures("clickhouse")
@given(st.lists(st.lists(SCRAPS, max_size=6).map(b"".join), min_size=50, max_size=50))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_clickhouse_can_read_every_record_that_is_stored(scraps: list[bytes]) -> None:
    stored = [record_of(b'{"proof":"here","odd":' + scrap + b"}") for scrap in scraps]
    stored += [record_of(b'{"proof":"here","odd":"' + scrap + b'"}') for scrap in scraps]
    texts = [text.decode() for text in stored if isinstance(text, bytes)]

    unread = door.column(
        "SELECT text FROM (SELECT arrayJoin({texts:Array(String)}) AS text)"
        " WHERE JSONExtract(text, 'Tuple(proof String)').1 != 'here'",
        {"texts": texts},
        name="tests.unread",
    )

    assert unread == []
