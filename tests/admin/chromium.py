"""A real browser on a running admin, logged in by its form; screenshots go to `.data/screenshots`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from playwright.sync_api import sync_playwright

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import ConsoleMessage, Page

EXECUTABLE = "/usr/bin/chromium"
DESK, PHONE = 1440, 390
HEIGHT = 900
#: What has not happened by then will not, also on a machine that has much else to do.
TIMEOUT_MS = 60_000
PASSWORD = "a long enough secret"
SHOTS = BASE_DIR / ".data" / "screenshots"


@dataclass
class Browser:
    """One window. `said` is what its console complained about: a script or style that the policy refused, an error."""

    page: Page
    url: str
    width: int
    said: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the admin, which must not scroll sideways."""
        self.page.goto(self.url + path)
        assert self.overflow() <= 0, f"{path} scrolls sideways by {self.overflow()} px at {self.width} px"

    def resize(self, width: int) -> None:
        """Make the window as wide as that."""
        self.width = width
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page, to be looked at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}-{self.width}.png"), full_page=True)


def _hear(browser: Browser, line: ConsoleMessage) -> None:
    if line.type == "error":
        browser.said.append(f"{line.text} ({line.location['url']})")


@contextmanager
def window(url: str, *, width: int = DESK) -> Iterator[Browser]:
    """A window of a new browser, on no page yet."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        try:
            context = chromium.new_context(viewport={"width": width, "height": HEIGHT})
            context.set_default_timeout(TIMEOUT_MS)
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
            browser = Browser(context.new_page(), url, width)
            browser.page.on("console", lambda line: _hear(browser, line))
            browser.page.on("pageerror", lambda error: browser.said.append(str(error)))
            try:
                yield browser
            except BaseException:
                browser.shot("failed")
                raise
        finally:
            chromium.close()


@contextmanager
def browsing(port: int, *, width: int = DESK, name: str = "operator") -> Iterator[Browser]:
    """A window of someone who may do everything, logged in by typing."""
    person, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": True})
    person.set_password(PASSWORD)
    person.save()
    url = f"http://127.0.0.1:{port}"
    with window(url, width=width) as browser:
        browser.page.goto(f"{url}/admin/login/")
        browser.page.fill("[name=username]", name)
        browser.page.fill("[name=password]", PASSWORD)
        browser.page.click("[type=submit]")
        browser.page.wait_for_url(f"{url}/admin/")
        yield browser
