"""What `up` asks the running site: its progress, and whether a feed has a full page yet."""

from __future__ import annotations

import json
import time
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

import redis
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as ClickHouseDriverError
from prometheus_client.parser import text_string_to_metric_families

from atsite.celery import app
from atsite.core import kv
from atsite.core.web import probe
from atsite.supervision.addresses import feed_address, own_host
from atsite.supervision.errors import UpFailed, first_line
from atsite.supervision.progress import TABLES, Sample
from indexer.stream.state_reports import KEY, decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.config import Config
    from atsite.supervision.children import Site
    from indexer.index.stream_state import StreamState

#: A page as long as a client asks for when it asks for nothing special (the default of the lexicon).
FULL_PAGE = 50
#: The ranked feed everyone looks at first.
FIRST_FEED = "whats-hot"
REFRESH_TASK = "feeds.refresh_feeds"
ANSWER_SECONDS = 1.0
#: Asked again every five seconds; what waited longer than two of them need not be done any more.
REFRESH_EXPIRES = 10.0
EVENTS_METRIC, LAG_METRIC = "indexer_events", "indexer_lag_seconds"

ROWS = """
SELECT table, sum(rows) FROM system.parts
WHERE database = {database:String} AND active AND has({tables:Array(String)}, table)
GROUP BY table
"""


class SiteProbe:
    """Asks one running site. A part that does not answer within a second counts as unknown.

    It has its own connection: the process of `up` was configured before its stores ran, so the door
    (atsite/core/clickhouse/door.py) does not know their addresses.
    """

    def __init__(self, site: Site, config: Config) -> None:
        self._site = site
        self._config = config
        #: The Host header that the site's services need; "" if any will do.
        self.host = own_host(config)
        self.public_page = config.search.public_page
        host, _, port = config.clickhouse_address.rpartition(":")
        self._redis = kv.connect(config.redis_url, answer_seconds=ANSWER_SECONDS)
        self._clickhouse = Client(
            host=host.strip("[]"),
            port=int(port),
            user=config.clickhouse_username,
            password=config.clickhouse_password,
            database="default",
            client_name="atsite up",
            connect_timeout=ANSWER_SECONDS,
            send_receive_timeout=ANSWER_SECONDS,
            settings={"server_side_params": True},
        )

    def close(self) -> None:
        """Close the connections: an open one delays the stop of the embedded ClickHouse."""
        self._redis.close()
        self._clickhouse.disconnect()

    def create_database(self) -> None:
        """Make the project's database on a server that has none yet. Raises UpFailed."""
        try:
            self._clickhouse.execute(f"CREATE DATABASE IF NOT EXISTS `{self._config.clickhouse_database}`")
        except (ClickHouseDriverError, OSError, EOFError) as error:
            address = self._config.clickhouse_address
            raise UpFailed(
                f"ClickHouse at {address} (CLICKHOUSE_ADDRESS) cannot be used: {first_line(error)}"
            ) from error

    def sample(self) -> Sample:
        """How far the indexer is now."""
        metrics = self._metrics()
        state = self._stream()
        problem = "" if state is None else state.problem(time.time())
        events, lag = metrics.get(EVENTS_METRIC), metrics.get(LAG_METRIC)
        return Sample(time.monotonic(), events, lag, self._rows(), state, problem)

    def feed(self) -> str | None:
        """The at-uri of the feed to show first, as the feed generator describes it; None while it has none."""
        answer = self._json(f"{self._site.url('feedgen')}/xrpc/app.bsky.feed.describeFeedGenerator")
        uris = [str(feed["uri"]) for feed in answer.get("feeds", [])]
        return next((uri for uri in uris if uri.endswith(f"/{FIRST_FEED}")), uris[0] if uris else None)

    def page_length(self, uri: str) -> int:
        """How many posts the first page of the feed has now."""
        return len(self._json(feed_address(self._site, uri, FULL_PAGE)).get("feed", []))

    def ask_worker(self, task: str) -> None:
        """Ask the worker to run a task now. Raises kombu's OperationalError when the broker is away."""
        kwargs = {"force": True} if task == REFRESH_TASK else {}  # the feeds are ranked, due or not
        with app.connection_for_write(self._config.redis_url) as broker:
            app.send_task(task, kwargs=kwargs, connection=broker, expires=REFRESH_EXPIRES, retry=False)

    def _json(self, url: str) -> dict[str, Any]:
        """The JSON object at `url` of this site; empty when there is none."""
        headers = {probe.HEADER: probe.proof()}
        if self.host:
            headers["Host"] = self.host
        try:
            answer = json.loads(_get(url, headers))
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def _stream(self) -> StreamState | None:
        try:
            return decoded(self._redis.get(KEY))
        except redis.RedisError:
            return None

    def _rows(self) -> dict[str, int]:
        try:
            rows = self._clickhouse.execute(
                ROWS, {"database": self._config.clickhouse_database, "tables": list(TABLES)}
            )
        except (ClickHouseDriverError, OSError, EOFError):
            self._clickhouse.disconnect()
            return {}
        return {str(table): int(count) for table, count in rows}

    def _metrics(self) -> dict[str, float]:
        """Each family with the sum of its samples; empty when no metrics are answered."""
        try:
            families = list(
                text_string_to_metric_families(_get(f"{self._site.url('indexer_metrics')}/metrics").decode())
            )
        except ValueError:
            return {}
        return {
            family.name: sum(sample.value for sample in family.samples if not sample.name.endswith("_created"))
            for family in families
        }


def _get(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The body at `url`, whatever its status; empty when there is no answer in time."""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - our own http addresses
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the site is on this machine: no proxy
    try:
        with opener.open(request, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())
    except (OSError, HTTPException):
        return b""
