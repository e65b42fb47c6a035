"""The spans of the thin door are those of Django for the same request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.feeds import service as services
from tests.feeds.collector import Collector, collecting
from tests.feeds.readers import define_feeds
from tests.feeds.service import FEED, SKELETON
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from pytest_django.plugin import DjangoDbBlocker

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
OWN = ("http.host", "http.server_name", "net.host.port", "net.peer.port")
NAME = f"GET {SKELETON[1:]}"


def spans(folder: Path, application: str = "") -> dict[int, dict[str, Any]]:
    """What is told of a page and of a refusal, by status."""
    folder.mkdir()
    with collecting() as collector, services.running(folder, application=application, **collector.variables) as service:
        ask(service.http, FEED, 200)
        ask(service.http, FEED.replace("whats-hot", "unknown"), 400)
        until(lambda: told(collector).keys() >= {200, 400}, collector.names)
        return {status: told(collector)[status] for status in (200, 400)}


def ask(http: httpx.Client, feed: str, status: int) -> None:
    """Ask until that is the answer: the ranking is made at the first request."""
    headers = {"traceparent": PARENT}
    until(lambda: http.get(SKELETON, params={"feed": feed}, headers=headers).status_code == status)


def told(collector: Collector) -> dict[int, dict[str, Any]]:
    """A span of these requests for each status, without what differs from one service or connection to another."""
    found = {}
    for span in collector.spans():
        if span.name == NAME:
            values = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
            attributes = {name: "its own" if name in OWN else value for name, value in values.items()}
            about = (span.kind, span.trace_id.hex(), span.parent_span_id.hex(), span.status.code)
            found[int(values["http.status_code"])] = {"about": about, "attributes": attributes}
    return found


def test_a_request_leaves_the_same_span_with_and_without_the_door(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, clickhouse: None, valkey: object, tmp_path: Path
) -> None:
    define_feeds(django_db_blocker)
    thin = spans(tmp_path / "thin")
    plain = spans(tmp_path / "plain", "tests.doors.reference_door:application")
    assert thin == plain
