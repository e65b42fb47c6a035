"""An attack beside normal readers, on loopback and for a bounded time: what both of them saw."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tests.doors.attack.attackers import KINDS, Attack, Target
from tests.doors.attack.normal_readers import NormalReaders

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Sequence

TARPITS: Final = 40


@dataclass(frozen=True)
class Outcome:
    """What the readers saw, and what the attackers got."""

    readers: NormalReaders
    attackers: dict[str, Counter[int]]


async def siege(
    target: Target, members: Sequence[str], *, seconds: float, kinds: Sequence[str] = tuple(KINDS)
) -> Outcome:
    """Attack `target` for so many seconds with `kinds` of attackers, none for no attack, beside twenty readers."""
    async with _tarpits() as ports:
        ends = time.monotonic() + seconds
        target = replace(target, tarpits=ports)
        readers, attack = NormalReaders(target, members, ends), Attack(target, ends)
        await asyncio.gather(readers.run(), attack.run(kinds))
    return Outcome(readers, attack.statuses)


@asynccontextmanager
async def _tarpits() -> AsyncIterator[list[int]]:
    """The ports of hosts that take connections and never answer."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()

    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(await asyncio.start_server(swallow, "127.0.0.1", 0)) for _ in range(TARPITS)
        ]
        yield [server.sockets[0].getsockname()[1] for server in servers]
