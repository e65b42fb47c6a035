"""A feed made of a search, in a real browser: judged while one types, previewed, saved, explained, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.clock import now_us
from feeds import backtests
from feeds.models import FeedDefinition
from tests import builders as b
from tests.admin.chromium import DESK, PHONE, browsing
from tests.feeds import administration, worlds
from tests.feeds.administration import FEEDS
from tests.feeds.worlds import HOUR
from tests.rows import store

if TYPE_CHECKING:
    from tests.test_services import Service

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]


@pytest.fixture(autouse=True)
def _site(browsed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_feed_is_made_of_a_search(service: Service, width: int) -> None:
    now = now_us()
    posts = [
        b.post(worlds.actor(n), at=now - (n + 1) * HOUR, text=f"Rehearsal of the choir, number {n}") for n in range(5)
    ]
    store(*posts, b.post(worlds.actor(9), at=now - HOUR, text="pears"))
    with browsing(service.port, width=width) as browser:
        page = browser.page
        browser.open(f"{FEEDS}add/?kind=search")
        said = page.locator(".pg-query")
        query = page.locator("[name=parameter_query]")
        query.press_sequentially('(choir OR "alto part) -robots')
        said.get_by_text("This quote is not closed.").wait_for()
        assert said.locator("mark").inner_text() == '"'
        assert query.get_attribute("aria-invalid") is not None
        browser.shot("query-wrong")
        query.fill('(choir OR "alto part") -robots')
        said.get_by_text('Read as (choir OR "alto part") -robots').wait_for()
        assert query.get_attribute("aria-invalid") is None
        page.click("text=How to write a query")
        browser.shot("query-good")
        query.fill("has:images")
        said.get_by_text("No index helps with this query").wait_for()
        query.fill("choir")
        with page.context.expect_page() as opened:
            page.click("text=Preview without saving")
        trial = opened.value
        trial.wait_for_selector("text=Nothing is saved")
        assert trial.locator("[data-uri]").count() == len(posts)
        trial.close()
        page.fill("[name=rkey]", "rehearsals")
        page.fill("[name=display_name]", "Rehearsals")
        page.click("[name=_save]")
        page.wait_for_selector("text=was added successfully")
        row = FeedDefinition.objects.get(rkey="rehearsals")
        assert row.parameters == {"query": "choir"}
        browser.open(f"{FEEDS}{row.pk}/preview/")
        browser.shot("query-preview")
        page.locator("text=Why?").first.click()
        page.wait_for_selector("text=it is in the feed")
        browser.shot("query-why")
        page.click("text=Posts per day")
        page.click("button:text-is('Count')")
        page.wait_for_selector("text=waits for a worker")
        browser.shot("query-waits")
        backtests.run_due()
        page.wait_for_selector("text=Counted on")
        browser.shot("query-counted")
        assert not browser.said
