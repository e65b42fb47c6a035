"""Every page of the admin in a real browser, at a desk and on a phone, in light and dark, in use and in evil hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from feeds.models import FeedDefinition
from tests.admin import world
from tests.admin.chromium import DESK, PHONE, browsing
from tests.admin.looking import FEED, look, pages, with_words_of

if TYPE_CHECKING:
    from tests.admin.chromium import Browser
    from tests.test_services import Service

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("browsed"),
]


#: What the server writes where a hostile word is shown; escaped, or cut short.
EVIL_WORDS = ("owned", "evil gnp.exe", "Z\u0300\u0301", "w" * 20)


@pytest.mark.parametrize("of_the_network", [True, False], ids=["of the network", "of the site"])
def test_every_page_of_a_site_in_use_is_fit_to_be_seen(service: Service, of_the_network: bool) -> None:
    world.fill(world.USUAL)
    with browsing(service.port) as browser:
        refresh(browser)
        wrong = [line for name, path in pages(of_the_network=of_the_network) for line in look(browser, name, path)]
    assert not wrong, "\n".join(wrong)


def test_hostile_words_run_nothing_and_break_no_page(service: Service) -> None:
    world.fill(world.EVIL)
    with browsing(service.port) as browser:
        refresh(browser)
        everything = [*pages(of_the_network=True), *pages(of_the_network=False)]
        reached = list(with_words_of(EVIL_WORDS, browser, everything))
        wrong = [line for name, path in reached for line in look(browser, f"evil-{name}", path)]
    assert not wrong, "\n".join(wrong)
    assert len(reached) > 30


def refresh(browser: Browser) -> None:
    """Rank the feed whats-hot, so that its preview has something to show."""
    preview = reverse(f"{FEED}preview", args=(FeedDefinition.objects.get(rkey="whats-hot").pk,))
    browser.page.goto(browser.url + preview)
    browser.page.click("text=Refresh now")
    browser.page.wait_for_selector("text=Refreshed")


#: What has the focus: its text or name, whether it is in the content, where it is, and whether it shows.
FOCUS = """() => {
    const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const ringed = [element, element.parentElement].map((each) => getComputedStyle(each))
        .some((each) => each.outlineStyle !== "none" && parseFloat(each.outlineWidth) >= 2);
    return {
        name: element.name || element.ariaLabel || element.textContent.trim().replace(/\\s+/g, " "),
        inside: element.closest("#content") !== null,
        seen: ringed && box.top >= 0 && box.bottom <= innerHeight + 1 && box.width > 0 && style.opacity !== "0",
    };
}"""


def tabbed(browser: Browser) -> dict[str, Any]:
    browser.page.keyboard.press("Tab")
    return dict(browser.page.evaluate(FOCUS))


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_first_key_pressed_offers_the_way_past_the_sidebar(service: Service, width: int) -> None:
    with browsing(service.port, width=width) as browser:
        browser.open("/admin/")
        assert tabbed(browser) == {"name": "Skip to the content", "inside": False, "seen": True}
        browser.page.keyboard.press("Enter")
        assert tabbed(browser)["inside"]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_key_is_minted_by_keyboard_alone_and_the_focus_is_always_seen(service: Service, width: int) -> None:
    with browsing(service.port, width=width) as browser:
        browser.open("/admin/apikeys/apikey/add/")
        steps = [dict(browser.page.evaluate(FOCUS))]
        assert steps[0]["name"] == "note"
        while steps[-1]["name"] != "_save" and len(steps) < 40:
            steps.append(tabbed(browser))
            if steps[-1]["name"] == "scopes" != steps[-2]["name"]:
                browser.page.keyboard.press("Space")
        assert [step for step in steps if not step["seen"]] == []
        assert {step["name"] for step in steps if not step["inside"]} <= {"_addanother", "_continue", "_save"}
        order = list(dict.fromkeys(step["name"] for step in steps))
        assert [name for name in order if name in ("note", "scopes", "rate_limit", "expires_at_0", "_save")] == [
            "note", "scopes", "rate_limit", "expires_at_0", "_save",
        ]  # fmt: skip
        browser.page.keyboard.press("Enter")
        browser.page.wait_for_selector("#api-key")
        assert browser.said == []


def test_the_sidebar_of_a_phone_opens_by_keyboard(service: Service) -> None:
    with browsing(service.port, width=PHONE) as browser:
        browser.open("/admin/")
        assert not browser.page.is_visible("#nav-sidebar >> text=Members")
        browser.page.focus("[aria-label=Menu]")
        browser.page.keyboard.press("Enter")
        browser.page.wait_for_selector("#nav-sidebar >> text=Members")
        browser.shot("menu")
