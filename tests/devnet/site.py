"""This project on that network: its commands as processes, on the session's own ClickHouse, Valkey and SQLite file."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from atsite.core.config import BASE_DIR
from atsite.core.embedded.child import Child
from atsite.core.embedded.ports import free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.devnet.network import Network

#: How long anything may take that a busy machine does in a second.
PATIENCE: Final = 60.0
GENERATOR: Final = "app.bsky.feed.generator"
GET_FEED: Final = "/xrpc/app.bsky.feed.getFeed"
SKELETON: Final = "app.bsky.feed.getFeedSkeleton"


@dataclass(frozen=True)
class Site:
    """A running indexer and feed generator. `environment` is that of all the project's processes here."""

    network: Network
    http: httpx.Client
    environment: Mapping[str, str]
    #: What the feed generator says.
    log: Path
    #: The account that publishes the feeds, and writes what strangers read instead of a private one.
    publisher: str

    @property
    def service_did(self) -> str:
        return self.environment.get("SERVICE_DID") or f"did:web:localhost%3A{self.http.base_url.port}"

    def uri(self, rkey: str) -> str:
        return f"at://{self.network.account(self.publisher).did}/{GENERATOR}/{rkey}"

    def manage(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py WORDS`, with other settings where `variables` says so."""
        command = [sys.executable, str(BASE_DIR / "manage.py"), *words]
        environment = os.environ | dict(self.environment) | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)

    def publish(self, *rkeys: str) -> None:
        """Publish feeds, and let the AppView see it."""
        for rkey in rkeys:
            done = self.manage("publish_feed", rkey)
            assert done.returncode == 0, done.stderr
        self.network.settle()

    def rank(self) -> None:
        """Make all rankings again, as the worker does each minute."""
        done = self.manage("shell", "-c", "from feeds.tasks import refresh_feeds; refresh_feeds(force=True)")
        assert done.returncode == 0, done.stderr

    def get_feed(self, rkey: str, reader: str | None, *, headers: Mapping[str, str] = {}, **params: Any) -> Any:
        """app.bsky.feed.getFeed as a reader's app asks it at their PDS, or, where nobody is logged in, the AppView."""
        query = {"feed": self.uri(rkey), **params}
        if reader is None:
            return self.network.appview.get(GET_FEED, params=query, headers=dict(headers))
        token = self.network.account(reader).token
        return self.network.pds.get(GET_FEED, params=query, headers={"Authorization": f"Bearer {token}", **headers})

    def page(self, rkey: str, reader: str | None, **params: Any) -> dict[str, Any]:
        """A page that must be one."""
        response = self.get_feed(rkey, reader, **params)
        assert response.status_code == 200, response.text
        page: dict[str, Any] = response.json()
        return page

    def pages(self, rkey: str, reader: str | None, *, limit: int) -> list[dict[str, Any]]:
        """All pages, until there is no cursor."""
        pages = [self.page(rkey, reader, limit=limit)]
        while "cursor" in pages[-1]:
            assert len(pages) < 200, "this feed has no end"
            pages.append(self.page(rkey, reader, limit=limit, cursor=pages[-1]["cursor"]))
        return pages

    def walk(self, rkey: str, reader: str | None, *, limit: int) -> list[list[str]]:
        """The posts of each page."""
        return [uris(page) for page in self.pages(rkey, reader, limit=limit)]

    def skeleton(self, rkey: str, token: str = "", **params: Any) -> httpx.Response:
        """What the service itself answers: the AppView leaves out by itself what is gone."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.get(f"/xrpc/{SKELETON}", params={"feed": self.uri(rkey), **params}, headers=headers)

    def posts(self, rkey: str) -> list[str]:
        """The at-uris of the first page for someone not logged in."""
        response = self.skeleton(rkey, limit=100)
        assert response.status_code == 200, response.text
        return [entry["post"] for entry in response.json()["feed"]]


def uris(page: Mapping[str, Any]) -> list[str]:
    """The posts of an AppView's page."""
    return [entry["post"]["uri"] for entry in page["feed"]]


def environment_of(network: Network, *, port: int, publisher: str) -> dict[str, str]:
    """Settings of a site on this network whose feed generator answers on `port`."""
    account = network.account(publisher)
    return {
        "FEED_ACTOR_DID": account.did,
        "PUBLISHER_APP_PASSWORD": account.app_password,
        "SERVICE_ENDPOINT": f"http://localhost:{port}",
        "PLC_URL": network.plc_url,
        "HANDLE_RESOLVER_URL": network.pds_url,
        "APPVIEW_URL": network.appview_url,
        "ALLOW_LOOPBACK": "1",
        "WS_URL": network.jetstream_url,
        "MIN_FREE_DISK": "0",
        "METRICS_PORT": "0",
    }


@contextmanager
def indexing(environment: Mapping[str, str], folder: Path) -> Iterator[Child]:
    """An indexer; its log is in `folder`. It must not have ended by itself."""
    with _process("run_indexer", environment=environment, log=folder / "indexer.log") as child:
        yield child


@contextmanager
def serving(network: Network, folder: Path, *, port: int, publisher: str, **variables: str) -> Iterator[Site]:
    """A feed generator on `port`."""
    environment = {**environment_of(network, port=port, publisher=publisher), **variables}
    log = folder / f"feedgen-{port}.log"
    with (
        _process("run_feedgen", "--port", str(port), environment=environment, log=log) as child,
        httpx.Client(base_url=f"http://localhost:{port}", timeout=15) as http,
    ):
        _await_answer(child, http, log)
        yield Site(network, http, environment, log, publisher)


@contextmanager
def running(network: Network, folder: Path) -> Iterator[Site]:
    """Both, of a publisher who never published before: sites on one network know nothing of each other."""
    port = free_port()
    publisher = f"publisher-{port}"
    with ExitStack() as stack:
        stack.enter_context(indexing(environment_of(network, port=port, publisher=publisher), folder))
        yield stack.enter_context(serving(network, folder, port=port, publisher=publisher))


@contextmanager
def _process(*words: str, environment: Mapping[str, str], log: Path) -> Iterator[Child]:
    child = Child.spawn([sys.executable, str(BASE_DIR / "manage.py"), *words], output=log, environment=environment)
    try:
        yield child
        assert child.process.poll() is None, f"{words[0]} ended by itself:\n{log.read_text()}"
    finally:
        child.stop()


def _await_answer(child: Child, http: httpx.Client, log: Path) -> None:
    def is_well() -> bool:
        assert child.process.poll() is None, f"the feed generator ended:\n{log.read_text()}"
        with suppress(httpx.TransportError):
            return http.get("/xrpc/_health").status_code == 200
        return False

    until(is_well, lambda: f"the feed generator starts:\n{log.read_text()}")
