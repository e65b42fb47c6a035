"""The real search service for tests, in a process of its own, asked over HTTP.

It is the server that `manage.py run_search` becomes; the command's checks (tests/test_services.py) take as long as its
start.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from atsite.core.embedded.ports import free_port
from atsite.supervision.serving import granian
from tests.steps import steps
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Record

START_SECONDS = 60
SEARCH = "/xrpc/app.bsky.unspecced.searchPostsSkeleton"


@dataclass(frozen=True)
class Service:
    """A running search service."""

    client: httpx.Client

    def get(self, path: str, **parameters: object) -> httpx.Response:
        return self.client.get(path, params={name: str(value) for name, value in parameters.items()})

    def search(self, q: str, **parameters: object) -> dict[str, Any]:
        """A page; the answer must be 200."""
        response = self.get(SEARCH, q=q, **parameters)
        assert response.status_code == 200, response.text
        page: dict[str, Any] = response.json()
        return page

    def found(self, q: str, **parameters: object) -> list[str]:
        """The at-uris of the first page."""
        return [post["uri"] for post in self.search(q, **parameters)["posts"]]

    def walk(self, q: str, **parameters: object) -> Iterator[list[str]]:
        """Every page to the end."""
        cursor: dict[str, object] = {}
        for _ in steps():
            page = self.search(q, **parameters, **cursor)
            yield [post["uri"] for post in page["posts"]]
            if "cursor" not in page:
                return
            cursor = {"cursor": page["cursor"]}

    def refused(self, path: str, **parameters: object) -> tuple[int, str, str]:
        """Status, error and message of an answer that says no."""
        response = self.get(path, **parameters)
        body = response.json()
        assert set(body) == {"error", "message"}
        return response.status_code, body["error"], body["message"]


def newest_first(*posts: Record) -> list[str]:
    """The at-uris of posts in the order of every newest-first list."""
    return [post.uri for post in sorted(posts, key=lambda post: (post.rkey, post.did), reverse=True)]


def running(*, output: Path | None = None, **environment: str) -> Iterator[Service]:
    """The service, once it answers, until the caller is done with it. `output`: a file for what it prints."""
    port = free_port()
    printed = None if output is None else output.open("wb")
    process = subprocess.Popen(
        granian("search", host="127.0.0.1", port=port),
        env={
            **os.environ,
            "ATSITE_SERVICE": "search",
            "METRICS_PORT": "0",
            "SEARCH_PER_MINUTE": "1000000",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=None if printed is None else subprocess.STDOUT,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            _wait_until_it_answers(client, process)
            yield Service(client)
    finally:
        process.terminate()
        process.wait(30)
        if printed is not None:
            printed.close()


def _wait_until_it_answers(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None, f"search ended with {process.returncode}"
        with suppress(httpx.TransportError):
            client.get("/xrpc/_health")
            return True
        return False

    until(answers, "search answers")
