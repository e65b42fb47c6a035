"""The public page in a real browser: at a desk and on a phone, light and dark, with scripts and without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import sync_playwright

from tests.admin.chromium import DESK, EXECUTABLE, HEIGHT, PHONE, SHOTS
from tests.admin.looking import JUDGE, SCREENSHOTS
from tests.search.web.public import world

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

    from tests.search.service import Service

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

PAGES: Final = {
    "start": "/",
    "found": "/?q=heron",
    "top": "/?q=heron&sort=top",
    "folded": "/?q=heron+nude",
    "nothing": "/?q=unheardof",
    "wrong": "/?q=heron+%22",
    "people": "/people?q=al",
    "numbers": "/numbers",
    "feeds": "/feeds",
    "help": "/help",
}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_page_is_fit_to_be_seen(site: Service, width: int, scheme: str, *, scripts: bool) -> None:
    world.fill()
    world.fill_days()
    wrong: list[str] = []
    url = str(site.client.base_url).rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
        )
        page = context.new_page()
        page.on("console", lambda line: wrong.append(line.text) if is_complaint(line) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(url) else wrong.append(f"asks {asked.url}"))
        for name, path in PAGES.items():
            answer = page.goto(url + path)
            assert answer is not None
            assert answer.status == (400 if name == "wrong" else 200), name
            wrong += [f"{name}: {each}" for each in faults(page, scripts=scripts)]
            if os.environ.get(SCREENSHOTS):
                SHOTS.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=str(SHOTS / f"public-{name}-{scheme}-{width}.png"), full_page=True)
        read(page, url)
        browser.close()
    assert wrong == []


def is_complaint(line: ConsoleMessage) -> bool:
    """An error, but not that a wrong query is answered with 400."""
    return line.type == "error" and "400 (Bad Request)" not in line.text


def faults(page: Page, *, scripts: bool) -> list[str]:
    """What is wrong with the page that is open, in sentences. Scripts of the page's own are not needed to ask."""
    found = []
    if page.locator("h1").count() != 1:
        found.append(f"{page.locator('h1').count()} headings of the page")
    if not page.locator("html").get_attribute("lang"):
        found.append("no language")
    if not scripts:
        return found
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        found.append(f"scrolls sideways by {wide} px")
    return [*found, *page.evaluate(JUDGE)]


def read(page: Page, url: str) -> None:
    """Search as a reader does: type, press Enter, turn a page, go to the people."""
    page.goto(url)
    page.get_by_role("searchbox").fill("heron -unread")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**q=heron*")
    first = page.locator("article").all_inner_texts()
    assert first
    page.get_by_role("link", name="Older posts").click()
    page.wait_for_url("**cursor=*")
    second = page.locator("article").all_inner_texts()
    assert second
    assert not set(first) & set(second)
    page.get_by_role("link", name="People").first.click()
    page.wait_for_url("**/people*")
