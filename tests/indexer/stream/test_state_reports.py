"""What the indexer reports of its connection, through a real Redis and real sockets."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.clock import now_us
from atsite.core.embedded.ports import free_port
from atsite.core.errors import AtsiteError
from indexer.index.checkpoint import start_live
from indexer.index.stream_state import Condition, StreamState
from indexer.stream import backoff
from indexer.stream import jetstream as jetstream_module
from indexer.stream.dial import reason_of
from indexer.stream.jetstream import Jetstream
from indexer.stream.state_reports import KEY, StateReports, decoded
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, valkey: object) -> Iterator[None]:
    monkeypatch.setattr(backoff, "BACKOFF_FIRST", 0.02)
    monkeypatch.setattr(jetstream_module, "READ_TIMEOUT", 0.02)
    monkeypatch.setattr("indexer.stream.state_reports.REPORT_SECONDS", 0.02)
    kv.client().delete(KEY)
    yield
    kv.client().delete(KEY)


def reported() -> StreamState | None:
    return decoded(kv.client().get(KEY))


def becomes(source: Jetstream, condition: Condition) -> StreamState:
    """The first report of that condition, while the source is read."""

    def there() -> bool:
        source.read()
        state = reported()
        return state is not None and state.condition is condition

    until(there, f"a report that says {condition}")
    state = reported()
    assert state is not None
    return state


def test_a_host_that_is_away_is_reported_with_reason_and_time_until_it_is_back() -> None:
    port, began = free_port(), now_us() / 1e6
    source = Jetstream(f"ws://127.0.0.1:{port}/subscribe", start_live(now_us()))
    with StateReports(source.state):
        lost = becomes(source, Condition.LOST)
        assert (lost.host, lost.reason) == (f"127.0.0.1:{port}", "it refuses connections")
        assert began - 1 <= lost.since <= lost.at
        assert lost.problem(lost.at).startswith(f"no connection to 127.0.0.1:{port} since ")
        with simulated_jetstream(MemorySource([])) as jetstream:
            source._url = jetstream.url
            assert becomes(source, Condition.STREAMING).problem(lost.at) == ""
    source.close()


@pytest.mark.parametrize(("filtered", "condition"), [(False, Condition.SILENT), (True, Condition.QUIET)])
def test_a_host_that_sends_nothing_is_reported_and_so_is_the_filter(
    filtered: bool, condition: Condition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream_module, "SILENT_AFTER", 0.2)
    with simulated_jetstream(MemorySource([])) as jetstream:
        source = Jetstream(jetstream.url, start_live(now_us()), filtered=filtered)
        with StateReports(source.state):
            state = becomes(source, condition)
        source.close()
    assert state.filtered is filtered
    assert "has sent no event since " in state.problem(state.at)
    assert ("WANTED_…" in state.problem(state.at)) is filtered


class Unusable(AtsiteError):
    """An error whose text is for people."""


@pytest.mark.parametrize(
    ("error", "reason"), [(None, "it was told to stop"), (Unusable("set X"), "set X"), (KeyError("x"), "KeyError")]
)
def test_the_last_report_says_why_the_indexer_ended(error: Exception | None, reason: str) -> None:
    state = StreamState("h.example", Condition.STREAMING, since=0.0)

    def run() -> None:
        with StateReports(lambda: state):
            if error is not None:
                raise error

    if error is None:
        run()
    else:
        with pytest.raises(type(error)):
            run()
    last = reported()
    assert last is not None
    assert (last.condition, last.reason, last.has_ended(last.at)) == (Condition.STOPPED, reason, True)


def test_what_is_no_report_is_none() -> None:
    assert [decoded(data) for data in (None, b"", b"[]", b"{}", b'{"condition": "other"}')] == [None] * 5
    state = StreamState("h.example", Condition.QUIET, since=1.5, reason="r", filtered=True, at=2.5)
    assert StreamState.decode(state.encode()) == state


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name cannot be resolved; check the network of"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "this machine cannot reach it; check its network"),
        (TimeoutError("timed out"), "it does not answer in time"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "TLS failed ("),
        (ConnectionResetError(), "it closed the connection"),
        (EOFError(), "it closed the connection"),
        (UnicodeError("idna"), "UnicodeError: idna"),
    ],
)
def test_a_reason_says_what_people_can_check(error: Exception, reason: str) -> None:
    assert reason_of(error).startswith(reason)
