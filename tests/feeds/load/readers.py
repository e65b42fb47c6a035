"""Readers of a feed generator, many at a time: they walk feeds to their end, forget tokens, and send nonsense."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.load.judge import Record, Seen, Walk
from tests.feeds.readers import KEY, SERVICE
from tests.feeds.service import SKELETON
from tests.steps import steps
from tests.tokens import token

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LIMITS = (7, 30, 100)
#: The AppView gives up after 10 s by its source; here a machine may be slow, and a reader that never gets an answer is
#: still one.
TIMEOUT_SECONDS = 60


@dataclass
class Readers:
    """Fifty of them, by what they do. `record` gets what they see."""

    base_url: str
    viewers: list[str]
    record: Record
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Read until `stop` is set."""
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        async with httpx.AsyncClient(base_url=self.base_url, timeout=TIMEOUT_SECONDS, limits=limits) as http:
            one = _Reader(http, self.record)
            roles: list[Callable[[int], Coroutine[Any, Any, None]]] = [
                *[lambda turn: one.walk("whats-hot", LIMITS[turn % 3])] * 20,
                *[lambda turn: one.private(self.viewers[turn % len(self.viewers)], LIMITS[turn % 2])] * 14,
                *[lambda turn: one.walk("cl-tqsp", LIMITS[turn % 3])] * 8,
                *[lambda turn: one.walk("bangers", LIMITS[turn % 2])] * 4,
                *[lambda turn: one.nonsense(turn)] * 4,
            ]
            async with asyncio.TaskGroup() as group:
                for number, role in enumerate(roles):
                    group.create_task(self._go_on(role, number))

    async def _go_on(self, role: Callable[[int], Coroutine[Any, Any, None]], turn: int) -> None:
        while not self.stop.is_set():
            await role(turn)
            turn += 1

    async def all_well(self) -> bool:
        """Whether each feed answers a reader now as if no store had ever been away."""
        async with httpx.AsyncClient(base_url=self.base_url, timeout=TIMEOUT_SECONDS) as http:
            one = _Reader(http, Record())
            seen = [
                *[await one.page(feed, limit=30) for feed in ("whats-hot", "cl-tqsp", "bangers")],
                *[await one.page("a-mpls", viewer=viewer) for viewer in self.viewers],
            ]
        return all(body is not None for body in seen)


@dataclass
class _Reader:
    http: httpx.AsyncClient
    record: Record

    async def walk(self, feed: str, limit: int) -> None:
        """A walk to the end, as long as there are pages."""
        began = time.monotonic()
        posts: list[str] = []
        cursor: str | None = None
        for _ in steps():
            body = await self.page(feed, limit=limit, cursor=cursor)
            if body is None:
                return
            posts += [entry["post"] for entry in body["feed"]]
            cursor = body.get("cursor")
            if cursor is None:
                break
        self.record.walks.append(Walk(feed, began, time.monotonic(), tuple(posts)))

    async def private(self, viewer: str, limit: int) -> None:
        """The private feed, two pages at most, each with a token of its own."""
        body = await self.page("a-mpls", limit=limit, viewer=viewer)
        if body is not None and "cursor" in body:
            await self.page("a-mpls", limit=limit, viewer=viewer, cursor=body["cursor"])

    async def page(
        self, feed: str, *, limit: int = 50, cursor: str | None = None, viewer: str | None = None
    ) -> dict[str, Any] | None:
        """The body of a page; None where the answer is an error."""
        params: dict[str, str | int] = {"feed": f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}", "limit": limit}
        if cursor is not None:
            params["cursor"] = cursor
        headers = {} if viewer is None else {"Authorization": "Bearer " + token(KEY, iss=viewer, aud=SERVICE)}
        began = time.monotonic()
        response = await self.http.get(SKELETON, params=params, headers=headers)
        ended = time.monotonic()
        body: dict[str, Any] = response.json()
        error = shape_problem(response, body, limit=limit, private=feed == "a-mpls")
        if error:
            self.record.wrong.append(f"{feed}: {error}")
        self.record.answers.append(
            Seen(
                feed=feed,
                began=began,
                ended=ended,
                status=response.status_code,
                posts=tuple(entry["post"] for entry in body.get("feed", ())),
                error=body.get("error", ""),
                viewer=viewer,
                first=cursor is None,
            )
        )
        return body if response.status_code == 200 else None

    async def nonsense(self, turn: int) -> None:
        """A request that is wrong, and so is answered the same whatever is away."""
        feed = f"at://{PUBLISHER}/app.bsky.feed.generator/whats-hot"
        params, headers, expected = (
            ({"feed": feed, "cursor": "nonsense"}, {}, (400, "InvalidRequest")),
            ({"feed": feed, "limit": "0"}, {}, (400, "InvalidRequest")),
            ({"feed": feed + "x"}, {}, (400, "UnknownFeed")),
            ({"feed": feed}, {"Authorization": "Bearer nonsense"}, (401, "BadJwt")),
        )[turn % 4]
        response = await self.http.get(SKELETON, params=params, headers=headers)
        if (response.status_code, response.json().get("error")) != expected:
            self.record.wrong.append(f"{params} {headers}: {response.status_code} {response.text}")


def shape_problem(response: httpx.Response, body: dict[str, Any], *, limit: int, private: bool) -> str:
    """What of the answer is of no form that the AppView takes."""
    if response.status_code != 200:
        return "" if sorted(body) == ["error", "message"] else f"no error's body: {body}"
    if sorted(body) not in (["feed"], ["cursor", "feed"]) or not isinstance(body.get("cursor", ""), str):
        return f"no page: {sorted(body)}"
    if len(body["feed"]) > limit:
        return f"{len(body['feed'])} entries of {limit}"
    if "cursor" in body and not body["feed"]:
        return "an empty page before the end"
    if any(sorted(entry) != ["post"] for entry in body["feed"]):
        return "an entry that is no plain post"
    cache = response.headers["cache-control"]
    expected = "private, no-store" if private else "no-cache"
    return "" if (cache, response.headers["vary"]) == (expected, "Authorization") else f"cache: {cache}"
