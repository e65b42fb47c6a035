"""Forty connections that try to take the feed generator away from its readers, each kind in its own way."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from atsite.core import cursor_format
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clock import now_us
from feeds.usage.interactions import SEND
from tests.doors.attack.connection import Connection, get, post
from tests.feeds.service import SKELETON
from tests.tokens import key, token

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

SECOND: Final = 1_000_000
#: What a slow connection sends in one go, and how long it waits after it.
DROP, DROP_SECONDS = b"x", 0.2
#: As many interactions as one call may have.
INTERACTIONS: Final = 500
_STRANGER: Final = key(77)


@dataclass(frozen=True)
class Target:
    """What is attacked: the port and did of the service, its feeds, and accounts whose tokens it can verify."""

    port: int
    audience: str
    hot: str
    private: str
    key: ec.EllipticCurvePrivateKey
    accounts: Sequence[str]
    #: Ports on loopback where hosts take connections and never answer.
    tarpits: Sequence[int] = ()

    def page(self, feed: str, **parameters: str | int) -> str:
        """The address of a page of `feed`."""
        more = "".join(f"&{name}={quote(str(value))}" for name, value in parameters.items())
        return f"{SKELETON}?feed={quote(feed)}{more}"

    def bearer(self, iss: str, **claims: Any) -> str:
        """The Authorization header of a known account."""
        return "Bearer " + token(self.key, iss=iss, aud=self.audience, **claims)


@dataclass
class Attack:
    """What the attackers got: for each kind, how often which status."""

    target: Target
    ends: float
    statuses: dict[str, Counter[int]] = field(default_factory=dict)

    async def run(self, kinds: Sequence[str]) -> None:
        """Attack with all connections of `kinds` until the end."""
        async with asyncio.TaskGroup() as group:
            for kind in kinds:
                connections, attacker = KINDS[kind]
                self.statuses[kind] = Counter()
                for number in range(connections):
                    group.create_task(attacker(self, kind, number))

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.ends


def _asking(request: Callable[[Target, int], bytes]) -> Callable[[Attack, str, int], Coroutine[Any, Any, None]]:
    """An attacker that sends one request after the other; `request` makes them from the target and a number."""

    async def attacker(attack: Attack, kind: str, number: int) -> None:
        connection = Connection(attack.target.port)
        while attack.goes_on:
            answer = await connection.ask(request(attack.target, number))
            attack.statuses[kind][answer.status] += 1
            number += 1_000
            await asyncio.sleep(0)
        connection.close()

    return attacker


async def _drip(attack: Attack, kind: str, number: int) -> None:
    """Half of the connections never end their head, the others never their body."""
    head = f"POST /xrpc/{SEND} HTTP/1.1\r\nHost: feeds.example.com\r\n"
    begin = head + ("X-Drip: " if number % 2 else "Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n")
    while attack.goes_on:
        connection = Connection(attack.target.port)
        reader, writer = await connection.opened()
        answer = asyncio.create_task(reader.read(12))
        writer.write(begin.encode())
        while attack.goes_on and not answer.done():
            await asyncio.wait([answer], timeout=DROP_SECONDS)
            writer.write(DROP)
        if answer.done():
            with suppress(ConnectionError):
                attack.statuses[kind][int(answer.result()[9:12] or 0)] += 1
        answer.cancel()
        connection.close()


def _forged_cursor(target: Target, number: int) -> bytes:
    """A cursor that names a ranking of some moment of the last half hour."""
    moment = now_us() - number % 1_800 * SECOND
    moment -= moment % (15 * SECOND)
    cursor = (
        cursor_format.encode("ranked", tid_of_micros(moment, number % 1_024), 1)
        if number % 2
        else cursor_format.encode("computed", moment, 1.0, "3laaaaaaaaaa2", "did:plc:" + "a" * 24)
    )
    return get(target.page(target.hot, limit=100, cursor=cursor))


def _junk_token(target: Target, number: int) -> bytes:
    """Text that is no token, a known account's token with another key, an account that is not, and an invented key."""
    stranger = "did:plc:" + "".join("abcdefghijklmnopqrstuvwxyz234567"[number // 32**place % 32] for place in range(24))
    junk = (
        "Bearer " + "a.b." * (number % 900),
        "Bearer " + token(_STRANGER, iss=target.accounts[number % len(target.accounts)], aud=target.audience),
        "Bearer " + token(_STRANGER, iss=stranger, aud=target.audience),
        f"Bearer atsk_{number:024d}",
    )[number // 1_000 % 4]
    return get(target.page(target.private if number % 2 else target.hot), junk)


def _tarpit(target: Target, number: int) -> bytes:
    """A token of an account whose host never answers."""
    iss = f"did:web:localhost%3A{target.tarpits[(number + number // 1_000) % len(target.tarpits)]}"
    return get(target.page(target.private), "Bearer " + token(_STRANGER, iss=iss, aud=target.audience))


def _interactions(target: Target, number: int) -> bytes:
    """As many reports as one call takes, each call of another known account."""
    item = f"at://{target.accounts[0]}/app.bsky.feed.post/3l6oveex3ii2l"
    reports = [{"item": item, "event": "app.bsky.feed.defs#interactionSeen"}] * INTERACTIONS
    body = json.dumps({"feed": target.hot, "interactions": reports}).encode()
    iss = target.accounts[number // 1_000 % len(target.accounts)]
    return post(f"/xrpc/{SEND}", body, target.bearer(iss, lxm=SEND, jti=f"flood-{number}"))


def _parameters(target: Target, number: int) -> bytes:
    """1,000 parameters more than a call has."""
    return get(target.page(target.hot) + "&" + "&".join(f"p{each}={number}" for each in range(1_000)))


#: The connections of each kind, forty in all, and what each of them does.
KINDS: Final[dict[str, tuple[int, Callable[[Attack, str, int], Coroutine[Any, Any, None]]]]] = {
    "forged cursors": (8, _asking(_forged_cursor)),
    "junk tokens": (8, _asking(_junk_token)),
    "tarpits": (6, _asking(_tarpit)),
    "slow requests": (6, _drip),
    "interactions": (6, _asking(_interactions)),
    "parameters": (6, _asking(_parameters)),
}
