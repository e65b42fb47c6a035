"""A newcomer's first look: a fresh demo, the README's lines as they are written, and no feed or list that is empty."""

from __future__ import annotations

import html
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
from django.contrib import admin

from atsite.core.config import BASE_DIR
from atsite.dashboard.empty_lists import first_step
from tests.supervision.test_up import NOT_INHERITED, command, kill_processes_of, processes_of, read_until
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: A gap is a fault, and events are read again after an update of atsite.
MAY_BE_EMPTY = {"indexer.streamgap", "indexer.rereading"}
FEEDS = ("a-mpls", "at-bangers", "bangers", "cl-tqsp", "demo-search", "top-1h", "top-24h", "whats-hot")


@dataclass
class Demo:
    """A running demo: what it said, and where it is."""

    data_dir: Path
    said: str

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        assert found is not None, self.said
        return found[1]

    @property
    def feedgen(self) -> str:
        return self.find(r"feeds +(http://127\.0\.0\.1:\d+)/")

    def shell(self, line: str) -> str:
        """Run a line in a shell as a newcomer does, on this demo's data folder; its output."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        done = subprocess.run(
            line,
            shell=True,
            cwd=BASE_DIR,
            env={**environment, "DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    def manage(self, arguments: str) -> str:
        """The line of the README that runs any other command."""
        line = readme_line(r"ATSITE_ENVIRONMENT=demo \S+ manage\.py COMMAND")
        return self.shell(line.replace("COMMAND", arguments))


def readme_line(pattern: str) -> str:
    """The one indented line of the README that matches, without its comment, with this interpreter."""
    lines = [line.strip() for line in (BASE_DIR / "README.md").read_text("utf-8").splitlines() if line.startswith("  ")]
    (line,) = [line for line in lines if re.match(pattern, line)]
    return line.partition("  #")[0].replace(".venv/bin/python", shlex.quote(sys.executable))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with its community, for all tests here: it takes most of their time."""
    folder = tmp_path_factory.mktemp("demo")
    try:
        with command("demo", folder / "data") as running:
            assert running.stdout is not None
            said, _ = read_until(running.stdout, r"manage\.py viewer_token \S+ --feed a-mpls|demo_community did not")
            try:
                yield Demo(folder / "data", said)
            finally:
                running.send_signal(signal.SIGINT)
                running.communicate()
        assert processes_of(folder) == {}
    finally:
        kill_processes_of(folder)


@pytest.fixture(scope="module")
def operator(demo: Demo) -> Iterator[httpx.Client]:
    """Someone who logged in to the admin with the password that the demo said."""
    base, password = demo.find(r"admin +(http://127\.0\.0\.1:\d+)/"), demo.find(r"with the password `(.+)` ")
    with httpx.Client(base_url=base, follow_redirects=True, timeout=30) as client:
        client.get("/admin/login/")
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        assert client.post("/admin/login/?next=/admin/", data=form).url.path == "/admin/"
        yield client


def test_no_part_of_the_community_failed(demo: Demo) -> None:
    assert (demo.data_dir / "log" / "demo_community.log").read_text().count("\n") == 2


def test_the_lines_of_the_readme_work(demo: Demo) -> None:
    """The first request, publishing, checks and a backfill."""
    page = demo.shell(readme_line(r"curl -s .*getFeedSkeleton").replace("http://127.0.0.1:8094", demo.feedgen))
    (first, *others) = re.findall(r'"post":\s*"at://([^/]+)/', page)
    assert len(others) == 4
    assert "missing" not in demo.manage("check_feed whats-hot")  # the community has published it
    assert "published at://" in demo.manage("publish_feed top-24h")
    demo.manage("check_feed top-24h")
    assert re.search(r"[1-9]\d* records listed", demo.manage(f"backfill --did {first}"))
    demo.manage("unpublish_feed top-24h")


def test_every_feed_has_a_page(demo: Demo) -> None:
    described = httpx.get(f"{demo.feedgen}/xrpc/app.bsky.feed.describeFeedGenerator").json()["feeds"]
    feeds = {feed["uri"].rpartition("/")[2]: feed["uri"] for feed in described}
    assert sorted(feeds) == sorted(FEEDS)
    skeleton = f"{demo.feedgen}/xrpc/app.bsky.feed.getFeedSkeleton"
    for rkey in set(FEEDS) - {"a-mpls"}:
        address = {"feed": feeds[rkey], "limit": 10}
        # top-1h fills while the indexer catches up
        until(lambda address=address: httpx.get(skeleton, params=address).json().get("feed"), rkey)  # type: ignore[misc]
    handle = demo.find(r"viewer_token (\S+) --feed a-mpls")
    line = demo.shell(readme_line(r"\S+ manage\.py viewer_token").replace("HANDLE", handle))
    assert '"post"' in demo.shell(line)
    assert len(httpx.get(skeleton, params={"feed": feeds["a-mpls"]}).json()["feed"]) == 1  # the instructions


def test_search_and_statistics_have_something_to_say(demo: Demo) -> None:
    found = httpx.get(demo.find(r"search +(http://\S+)")).json()
    assert len(found["posts"]) == 5
    statistics = httpx.get(demo.find(r"statistics +(http://\S+)")).json()
    assert statistics["totals"]["posts"] > 1_000
    for service in (demo.feedgen, demo.find(r"search +(http://127\.0\.0\.1:\d+)/")):
        assert len(httpx.get(f"{service}/openapi.json").json()["paths"]) > 1


def test_no_list_of_the_admin_is_empty(operator: httpx.Client) -> None:
    lists = {model._meta.label_lower for model in admin.site._registry} - MAY_BE_EMPTY
    empty = sorted(lists)

    def none_is_empty() -> bool:
        empty[:] = [label for label in empty if not has_rows(operator, label)]
        return not empty

    # The worker writes counts some seconds after the community has made them.
    until(none_is_empty, lambda: f"empty: {empty}", seconds=60)


def has_rows(operator: httpx.Client, label: str) -> bool:
    response = operator.get(f"/admin/{label.replace('.', '/')}/")
    assert response.status_code == 200, (label, response.status_code)
    return first_step(label) not in html.unescape(response.text)


def test_every_page_that_the_lists_link_to_opens(operator: httpx.Client) -> None:
    """The first row of each list, and the preview and usage of each feed, which have posts and numbers."""
    pages = {"/admin/"}
    for model in admin.site._registry:
        path = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
        rows = re.findall(rf'href="({path}[^"?]+/change/)', operator.get(path).text)
        pages |= set(rows if model._meta.label_lower == "feeds.feeddefinition" else rows[:1])
    feeds = {page.removesuffix("change/") for page in pages if page.startswith("/admin/feeds/feeddefinition/")}
    assert len(feeds) == len(FEEDS)
    pages |= {feed + page for feed in feeds for page in ("publish/", "history/")}
    answers = {page: operator.get(page).status_code for page in pages}
    assert {page: status for page, status in answers.items() if status != 200} == {}
    for feed in feeds:
        assert "Block post" in operator.get(f"{feed}preview/").text, feed
        assert "Nothing in the last 30 days" not in operator.get(f"{feed}use/").text, feed


def test_what_was_deleted_stays_deleted(demo: Demo) -> None:
    """A second run of the community's step, as the next start makes it, changes no row."""
    counts = demo.manage(f"shell --no-imports -c {shlex.quote(DELETE_AND_RUN_AGAIN)}").splitlines()[-2:]
    assert counts[0] == counts[1]


#: What it deletes is back at the end, for the other tests.
DELETE_AND_RUN_AGAIN = """
from django.core.management import call_command
from apikeys.models import ApiKey
from feeds.models import FeedDefinition, PinnedPost
from labels.models import ActorLabel, Block, BulkChange

def counts():
    return [model.objects.count() for model in (ActorLabel, Block, BulkChange, ApiKey, PinnedPost, FeedDefinition)]

deleted = [*Block.objects.all(), FeedDefinition.objects.get(rkey="cl-tqsp")]
for row in deleted:
    type(row).objects.get(pk=row.pk).delete()
before = counts()
call_command("demo_community")
after = counts()
for row in deleted:
    row.save(force_insert=True)
print(before)
print(after)
"""
