"""`demo --sparse`: a stream that tells nothing of what was before, and a site full of names all the same."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.supervision.test_up import command, data_dir, read_until
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["data_dir"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: The first round of asking begins with the site and takes three quarters of a minute.
PATIENCE_SECONDS = 180.0
#: What a handle of the simulated network looks like.
HANDLE = re.compile(r"[a-z0-9-]+\.demo\.test")


def test_feeds_and_admin_of_a_sparse_network_are_full_of_names(data_dir: Path) -> None:
    with command("demo", data_dir, "--sparse") as demo:
        try:
            assert demo.stdout is not None
            said, found = read_until(demo.stdout, r"curl -s '(.+)'")
            _, login = read_until(demo.stdout, r"as `admin` with the password `(.+)` \(kept in")
            admin = re.search(r"admin +(http://\S+/admin/)", said)
            assert admin is not None
            with urllib.request.urlopen(found[1]) as answer:
                dids = {item["post"].split("/")[2] for item in json.load(answer)["feed"]}
            assert len(dids) > 10
            with logged_in(admin[1], login[1]) as browser:
                nameless = set(dids)

                def all_have_names() -> bool:
                    nameless.difference_update([did for did in nameless if HANDLE.search(row_of(browser, did))])
                    return not nameless

                until(all_have_names, lambda: f"without a name: {nameless}", seconds=PATIENCE_SECONDS)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate()


@contextmanager
def logged_in(admin: str, password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=admin, follow_redirects=True, timeout=30) as browser:
        browser.get("login/")
        token = browser.cookies["csrftoken"]
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
        assert browser.post("login/", data=form, headers={"Referer": admin}).status_code == 200
        yield browser


def row_of(browser: httpx.Client, did: str) -> str:
    """What the list of actors says of one."""
    page = browser.get("indexer/actor/", params={"q": did})
    assert page.status_code == 200
    return page.text
