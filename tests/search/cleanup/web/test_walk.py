"""An owner cleans up their account in Chromium, from the sign-in to the undo, with the engine and a PDS on a socket.

Pictures at both widths go to `.data/screenshots`.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections

from atsite.core.config import config
from search.cleanup.engine import backups
from search.cleanup.models import PdsSession, RepoCleanupJob
from tests.admin.chromium import DESK, PHONE, window
from tests.search.cleanup.engine.world import LIKE, POST, World, like, post, posts, rkey
from tests.search.cleanup.working import Clock, working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.admin.chromium import Browser
    from tests.search.cleanup.pds_server import Account, PdsServer
    from tests.search.service import Service

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

OTHER = "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"


@pytest.fixture
def world(service: Service, pds: PdsServer, mira: Account) -> Iterator[World]:
    """The engine in this process, with the PDS that the service asks."""
    Session.objects.all().delete()
    pinned = {"$type": POST, "text": "Read me first", "createdAt": "2020-01-01T00:00:00Z"}
    mira.repo.write(
        {
            **posts(230),
            f"{POST}/pinned": pinned,
            f"{POST}/new": post("News", at=Clock().now.isoformat()),
            f"{LIKE}/{rkey(0)}": like(OTHER),
        }
    )
    mira.repo.write(
        {
            "app.bsky.actor.profile/self": {
                "$type": "app.bsky.actor.profile",
                "pinnedPost": {"uri": f"at://{mira.did}/{POST}/pinned", "cid": mira.repo.cid_of(f"{POST}/pinned")},
            }
        }
    )
    with working(config.cleanup.folder, pds.url, appview=pds.url):
        yield World(Clock(), pds, mira, config.cleanup.folder)


@pytest.fixture
def worker() -> Iterator[Callable[..., RepoCleanupJob]]:
    """Runs the engine in a thread of its own: the browser's has an event loop."""
    with ThreadPoolExecutor(1) as pool:

        def run(act: Callable[..., Any], *args: Any) -> Any:
            def done() -> Any:
                try:
                    return act(*args)
                finally:
                    connections.close_all()

            return pool.submit(done).result()

        yield run


def look(browser: Browser, name: str) -> None:
    """Pictures at both widths; the page never scrolls sideways."""
    for width in (DESK, PHONE):
        browser.resize(width)
        assert browser.overflow() <= 0, f"{name} scrolls sideways at {width} px"
        browser.shot(f"cleanup-{name}")


def heading(browser: Browser, text: str) -> None:
    """Wait for the heading of the page, which changes by itself."""
    browser.page.wait_for_selector(f"h1:text-is('{text}')")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_owner_cleans_up_and_undoes_it(
    world: World, service: Service, worker: Callable[..., Any], width: int
) -> None:
    before = dict(world.account.repo.values)

    def newest() -> RepoCleanupJob:
        found: RepoCleanupJob = RepoCleanupJob.objects.order_by("-job_id")[0]
        return found

    with window(str(service.client.base_url).rstrip("/"), width=width) as browser:
        page = browser.page
        browser.open("/cleanup/")
        page.click("summary")
        look(browser, "1-sign-in")
        browser.resize(width)
        page.fill("[name=identifier]", world.account.handle)
        page.fill("[name=app_password]", "correct horse battery")
        page.click("text=Sign in >> nth=-1")
        page.wait_for_selector("[role=alert]")
        assert "not an app password" in page.inner_text("[role=alert]")
        page.fill("[name=app_password]", world.account.app_password)
        page.click("main button")
        heading(browser, "What should go?")
        look(browser, "2-choose")
        browser.resize(width)
        page.check("text=Posts >> nth=0")
        page.check("text=Likes >> nth=0")
        page.fill("[name=days]", "30")
        page.check("text=Let me delete it")
        page.click("text=Make the plan")
        heading(browser, "Reading your repo and making the plan")
        look(browser, "3-planning")
        browser.resize(width)
        made = worker(newest)
        worker(world.step, made)
        heading(browser, "The plan is ready")  # without a click: the socket told the page
        text = page.inner_text("main")
        assert "231 records of 234 will be deleted after you confirm." in text
        assert re.search(r"It is your pinned post: 1\b", text)
        assert (
            page.get_attribute("dd a >> nth=0", "href")
            == f"https://bsky.app/profile/{world.account.did}/post/{rkey(0)}"
        )
        look(browser, "4-plan")
        browser.resize(width)
        page.fill("[name=handle]", "noel.test")
        page.click("button.danger")
        page.wait_for_selector("[role=alert]")
        page.fill("[name=handle]", world.account.handle)
        page.click("button.danger")
        heading(browser, "Confirmed: deleting begins in at most ten minutes")
        look(browser, "5-waiting")
        browser.resize(width)
        assert world.account.repo.values == before
        worker(world.to_end, made)
        heading(browser, "Done")
        assert set(before) - set(world.account.repo.values) == {f"{LIKE}/{rkey(0)}", *posts(230)}
        look(browser, "6-done")
        browser.resize(width)
        with page.expect_download() as download:
            page.click("text=Download the backup")
        assert download.value.path().read_bytes() == worker(lambda: b"".join(backups.pieces(world.stored(made))))
        page.fill("[name=app_password]", world.account.app_password)
        page.click("text=Create them again")
        heading(browser, "Getting ready to undo")
        look(browser, "7-undo")
        browser.resize(width)
        undo = worker(newest)
        worker(world.to_end, undo)
        heading(browser, "Undone")
        look(browser, "8-undone")
        browser.resize(width)
        assert world.account.repo.values == before
        page.click("text=Sign out")
        page.wait_for_selector("[name=identifier]")
        allowed = ("status of 400", "status of 403")  # the two mistakes above
        assert [line for line in browser.said if not any(each in line for each in allowed)] == []
        assert worker(PdsSession.objects.count) == 0
