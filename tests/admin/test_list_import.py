"""A list imported into a label in a real browser, at a desk and on a phone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from labels.models import ActorLabel, Label
from tests import builders as b
from tests.admin.chromium import DESK, PHONE, browsing
from tests.search.cleanup import pds_server
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

    from tests.search.cleanup.pds_server import PdsServer

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

LIST, ITEM = "app.bsky.graph.list", "app.bsky.graph.listitem"
DIDS = [f"did:plc:{letter * 24}" for letter in "vwxyz"]


@pytest.fixture(scope="module")
def pds() -> Iterator[PdsServer]:
    """Where mira has a list of five accounts."""
    with pds_server.serving(time.time) as server:
        mira = server.account("mira")
        uri = f"at://{mira.did}/{LIST}/choir"
        items = {f"{ITEM}/{did[-3:]}": {"subject": did, "list": uri} for did in DIDS}
        mira.repo.write({f"{LIST}/choir": {"name": "The choir of the lake"}, **items})
        yield server


@pytest.fixture(scope="module")
def service(
    content_types: object, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory, pds: PdsServer
) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("admin") / "log"
    with Service("admin", log, PLC_URL=pds.url, HANDLE_RESOLVER_URL=pds.url) as running:
        running.wait_until_up()
        yield running


@pytest.mark.usefixtures("browsed")
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_list_is_pasted_on_the_way_from_its_label_shown_and_added(service: Service, width: int) -> None:
    Label.objects.all().delete()
    label = Label.objects.create(name="choir", meaning="Those who sing on Thursdays.")
    for number, did in enumerate(DIDS[:3]):
        b.store(b.identity(did, f"singer{number}.example.com", at=b.ago(hours=1)))  # type: ignore[arg-type]
    with browsing(service.port, width=width) as browser:
        page = browser.page
        browser.open(f"/admin/labels/label/{label.pk}/change/")
        browser.shot("label-with-import")
        page.click("text=Import a list")
        page.wait_for_url("**/import-list/**")
        assert page.input_value("[name=label]") == "choir"
        page.fill("[name=address]", "https://bsky.app/profile/mira.test/lists/nothing")
        page.click("text=Preview the changes")
        page.wait_for_selector("text=there is no such list")
        assert browser.overflow() <= 0
        browser.shot("import-list-refused")
        page.fill("[name=address]", "https://bsky.app/profile/mira.test/lists/choir")
        browser.shot("import-list")
        page.click("text=Preview the changes")
        page.wait_for_url("**/bulkchange/*/change/")
        page.wait_for_selector("text=5 will be changed")
        assert "singer0.example.com" in page.inner_text("#main")
        assert browser.overflow() <= 0
        browser.shot("import-list-plan")
        page.click("[name=do][value=confirm]")
        page.wait_for_selector("text=was added to 5 actors")
        assert set(ActorLabel.objects.values_list("did", flat=True)) == set(DIDS)
        browser.shot("import-list-done")
        assert browser.said == []
