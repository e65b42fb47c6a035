from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.tid import TID_MAX, micros_of_tid, tid_of_micros
from indexer.simulator.serving.recorded_source import blocks_of
from indexer.simulator.serving.time_shift import move_witness, shift_datetime, shift_event

if TYPE_CHECKING:
    from pathlib import Path

OLD = 1_742_830_646_413_000
DAY = 86_400
NEW = OLD + DAY * 1_000_000
OLD_TID, NEW_TID = tid_of_micros(OLD, 5), tid_of_micros(NEW, 5)
DID = "did:plc:i3mn5ca4oyiuy7vx2o6pnwza"
CID = "bafyreiaxf7tgbfydx3465sckitq6v564thxe2wwydbi7cwxbxvgssje3em"


def post_event(time_us: int, tid: str, date: str) -> dict[str, object]:
    record = {
        "$type": "app.bsky.feed.post",
        "createdAt": f"{date}T15:37:26.4130+02:00",
        "embed": {"record": {"cid": CID, "uri": f"at://{DID}/app.bsky.feed.post/{tid}"}},
        "reply": {"root": {"uri": f"at://{DID}/app.bsky.feed.post/{tid}"}, "parent": {"uri": f"at://{DID}/a.b.c/self"}},
        "text": f"at://{DID} is no at-uri of a record, and 2025-03-24T15:37:26Z no createdAt",
        "list": [f"at://{DID}/app.bsky.graph.list/{tid}", 2025, None],
    }
    commit = {"rev": tid, "operation": "create", "collection": "app.bsky.feed.post", "rkey": tid, "record": record}
    return {"did": DID, "time_us": time_us, "kind": "commit", "commit": {**commit, "cid": CID}}


def test_everything_that_says_when_moves_together_and_all_else_stays() -> None:
    moved = shift_event(json.dumps(post_event(OLD, OLD_TID, "2025-03-24")).encode(), DAY)
    assert json.loads(moved) == post_event(NEW, NEW_TID, "2025-03-25")


@pytest.mark.parametrize("kind", ["identity", "account"])
def test_the_time_inside_identity_and_account_events_moves_too(kind: str) -> None:
    body = {"did": DID, "seq": 7, "time": "2025-03-24T15:37:26.413Z"}
    moved = shift_event(json.dumps({"did": DID, "time_us": OLD, "kind": kind, kind: body}).encode(), -DAY)
    expected = {"did": DID, "time_us": OLD - DAY * 1_000_000, "kind": kind}
    assert json.loads(moved) == {**expected, kind: {**body, "time": "2025-03-23T15:37:26.413Z"}}


def test_keys_that_are_no_tids_stay() -> None:
    event = {"time_us": OLD, "commit": {"rev": "first", "operation": "delete", "collection": "a.b.c", "rkey": "self"}}
    assert json.loads(shift_event(json.dumps(event).encode(), DAY)) == {**event, "time_us": NEW}


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b'{"time_us":"soon","commit":3}', b"\xff"])
def test_lines_that_are_no_events_come_back_as_they_are(line: bytes) -> None:
    assert shift_event(line, DAY) == line


@pytest.mark.parametrize(
    "value", [None, 3, "yesterday", "2025-13-24T15:37:26Z", "0000-03-24T15:37:26Z", "9999-12-31T23:59:59Z"]
)
def test_a_date_that_cannot_move_stays(value: object) -> None:
    assert shift_datetime(value, DAY) == value


@given(st.integers(0, TID_MAX // 4), st.integers(-(10**9), 10**9))
def test_a_shift_and_its_opposite_undo_each_other(number: int, seconds: int) -> None:
    tid = tid_of_micros((number >> 13) + 10**15, number % 1024)
    line = json.dumps(post_event(OLD, tid, "2025-03-24"), separators=(",", ":")).encode()
    there = shift_event(line, seconds)
    assert shift_event(there, -seconds) == line
    assert micros_of_tid(json.loads(there)["commit"]["rev"]) - micros_of_tid(tid) == seconds * 1_000_000


@pytest.mark.shared_data
def test_events_of_the_live_network_survive_a_shift_and_its_opposite(shared_data: Path) -> None:
    lines = [line for block in blocks_of(shared_data / "jetstream" / "expected_v1.jsonl") for line in block]
    assert len(lines) == 152
    for line in lines:
        there = shift_event(line, 3 * DAY)
        assert json.loads(there) != json.loads(line)
        assert json.loads(shift_event(there, -3 * DAY)) == json.loads(line)


def test_another_host_differs_in_time_us_alone() -> None:
    event = post_event(OLD, OLD_TID, "2025-03-24")
    moved = move_witness(json.dumps(event).encode(), -5_000_000)
    assert json.loads(moved) == {**event, "time_us": OLD - 5_000_000}
