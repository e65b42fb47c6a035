"""Chooses the ports that a store listens on."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.embedded.errors import PortTaken, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Container

LOOPBACK = "127.0.0.1"
#: Below the ranges from which Linux (32768 and up) and macOS (49152 and up) take ports for outgoing connections. A port
#: from there could be gone when a store restarts, even by a client that connects to itself while it retries.
FREE_RANGE = range(21000, 32000)
ATTEMPTS = 200
#: Not the seeded generator: two test sessions of the same seed would ask for the same ports in the same order.
GENERATOR = random.SystemRandom()


@dataclass(frozen=True)
class PortWish:
    """What is known about one port before a start."""

    #: The port's name in the state file.
    name: str
    #: The port that the caller requires; 0: any.
    asked: int = 0
    #: Preferred if no port is required: the port of the last start, then the usual one. 0: none.
    remembered: int = 0
    usual: int = 0


def wish(name: str, *, asked: int, usual: int, offset: int) -> PortWish:
    """A wish whose usual port is moved by `offset`. A moved port is required: it was chosen on purpose."""
    moved = usual + offset if usual and offset else 0
    return PortWish(name, asked=asked or moved, usual=usual)


def choose(wishes: tuple[PortWish, ...]) -> dict[str, int]:
    """A free port for each wish, all different. Raises PortTaken for a port that was asked for and is not free."""
    chosen: dict[str, int] = {}
    for wish in wishes:
        chosen[wish.name] = _choose_one(wish, taken=set(chosen.values()))
    return chosen


def _choose_one(wish: PortWish, taken: Container[int]) -> int:
    if wish.asked:
        if not is_free(wish.asked):
            raise PortTaken(taken_message(wish.asked))
        return wish.asked
    for port in (wish.remembered, wish.usual):
        if port and port not in taken and is_free(port):
            return port
    return free_port(taken)


def taken_message(port: int) -> str:
    """The message for a port that another process uses."""
    return f"Port {port} of {LOOPBACK} is taken by another process: stop that one, or ask for another port (0: any)."


def free_port(taken: Container[int] = ()) -> int:
    """A free port of loopback that is not in `taken`."""
    for _ in range(ATTEMPTS):
        port = GENERATOR.choice(FREE_RANGE)
        if port not in taken and is_free(port):
            return port
    raise StoreFailed(f"No free port between {FREE_RANGE.start} and {FREE_RANGE.stop} after {ATTEMPTS} attempts.")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now; closing connections do not prevent it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
