from __future__ import annotations

import signal
import socket
from itertools import count
from unittest.mock import Mock

import pytest

from atsite.supervision.children import ProcessSpec
from atsite.supervision.errors import UpFailed
from atsite.supervision.progress import Sample
from atsite.supervision.run import FIRST_PAGE_SECONDS, Stopped, Until, Up, refuse_taken_ports, signals_stop


def test_a_taken_port_is_named_with_the_process_that_wants_it() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        children = (ProcessSpec("feedgen", (), {}, (port,), 1, 2),)
        with pytest.raises(
            UpFailed, match=rf"^these ports are in use by other processes: {port} \(for feedgen\)\. .*--free-ports"
        ):
            refuse_taken_ports(children)
    refuse_taken_ports(children)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_stops_and_the_next_do_not_disturb_the_stopping(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cleaned_up = []

    def run_until_signal() -> None:
        with signals_stop():
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGINT)
                cleaned_up.append(True)

    with pytest.raises(Stopped):
        run_until_signal()
    assert cleaned_up == [True]
    assert signal.getsignal(number) == before


def test_the_first_rate_of_a_step_counts_from_the_samples_of_the_step_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Mock(monotonic=Mock(return_value=0.0))
    monkeypatch.setattr("atsite.supervision.run.time", clock)
    probe = Mock(sample=Mock(side_effect=[Sample(1.0, events=1_000.0), Sample(100.0, events=6_000.0)]))
    terminal = Mock()
    up = Up(Mock(), (), Mock(), probe, terminal, Mock(), Mock(), Mock())
    next(up.ticks(seconds=None))
    clock.monotonic.return_value = 99.0
    next(up.ticks(seconds=None))
    assert [call.args[0] for call in terminal.progress.call_args_list] == ["1,000 events/s", "60 events/s"]


def test_the_line_shows_no_total_below_one_that_it_has_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Mock(monotonic=Mock(return_value=0.0))
    monkeypatch.setattr("atsite.supervision.run.time", clock)
    samples = [Sample(float(at), rows=rows) for at, rows in enumerate([{"posts": 7}, {"posts": 5}, {}, {"posts": 9}])]
    terminal = Mock()
    up = Up(Mock(), (), Mock(), Mock(sample=Mock(side_effect=samples)), terminal, Mock(), Mock(), Mock())
    for _ in samples:
        next(up.ticks(seconds=None))
    shown = [call.args[0].rpartition(" · ")[2] for call in terminal.progress.call_args_list]
    assert shown == ["posts 7", "posts 7", "posts 7", "posts 9"]


def test_the_addresses_come_soon_where_no_event_can_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer without a network reads the reason, and need not wait two minutes for the address of the admin."""
    clock = Mock(monotonic=Mock(side_effect=count(0.0, 0.5)))
    monkeypatch.setattr("atsite.supervision.run.time", clock)
    lost = Sample(
        0.0, events=0.0, problem="no connection to jetstream.example since 12:00:00 UTC: it refuses connections"
    )
    probe = Mock(sample=Mock(return_value=lost), feed=Mock(return_value=None))
    steps = Mock()
    terminal = Mock()
    up = Up(Mock(), (), Mock(), probe, terminal, steps, Until(), Mock())
    assert up.first_page() is None
    assert clock.monotonic() < 30
    assert terminal.say.call_args_list[0].args == (f"The stream: {lost.problem}.",)
    assert steps.done.call_args.args[0].startswith("the first feed has only 0 posts so far")


def test_a_page_is_still_waited_for_where_events_arrived_before_the_connection_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Mock(monotonic=Mock(side_effect=count(0.0, 0.5)))
    monkeypatch.setattr("atsite.supervision.run.time", clock)
    lost = Sample(0.0, events=5.0, problem="no connection to jetstream.example")
    probe = Mock(sample=Mock(return_value=lost), feed=Mock(return_value=None))
    up = Up(Mock(), (), Mock(), probe, Mock(), Mock(), Until(), Mock())
    assert up.first_page() is None
    assert clock.monotonic() > FIRST_PAGE_SECONDS
