"""Which port a store gets."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import replace

import pytest

from atsite.core.embedded import PortTaken, ports
from atsite.core.embedded.ports import PortWish


def test_the_port_asked_for_wins_then_the_remembered_then_the_usual_one() -> None:
    asked, remembered, usual = ports.free_port(), ports.free_port(), ports.free_port()
    assert ports.choose((PortWish("p", asked=asked, remembered=remembered, usual=usual),)) == {"p": asked}
    assert ports.choose((PortWish("p", remembered=remembered, usual=usual),)) == {"p": remembered}
    assert ports.choose((PortWish("p", usual=usual),)) == {"p": usual}


def test_a_usual_port_that_is_taken_gives_way_to_a_free_one() -> None:
    with closing(socket.create_server((ports.LOOPBACK, ports.free_port()))) as server:
        taken = server.getsockname()[1]
        chosen = ports.choose((PortWish("p", remembered=taken, usual=taken),))["p"]
        assert chosen != taken
        assert chosen in ports.FREE_RANGE


def test_a_port_asked_for_that_is_taken_is_an_error() -> None:
    port = ports.free_port()
    with closing(socket.create_server((ports.LOOPBACK, port))), pytest.raises(PortTaken, match=f"^Port {port} of"):
        ports.choose((PortWish("p", asked=port),))


def test_an_offset_moves_the_usual_port_and_no_other_port_is_taken_instead() -> None:
    port = ports.free_port()
    moved = ports.wish("p", asked=0, usual=port - 100, offset=100)
    assert ports.choose((replace(moved, remembered=ports.free_port()),)) == {"p": port}
    with closing(socket.create_server((ports.LOOPBACK, port))), pytest.raises(PortTaken, match=f"^Port {port} of"):
        ports.choose((moved,))
    assert ports.wish("p", asked=0, usual=0, offset=100) == PortWish("p")
    assert ports.wish("p", asked=7, usual=9, offset=100).asked == 7


def test_two_wishes_never_get_one_port() -> None:
    port = ports.free_port()
    chosen = ports.choose((PortWish("a", remembered=port), PortWish("b", remembered=port)))
    assert chosen["a"] == port
    assert chosen["b"] != port
