"""Labels in a real browser: an actor added by handle, many at once with errors, removed again, and hostile names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from feeds.models import FeedDefinition
from labels import membership
from labels.models import ActorLabel, Label
from tests import builders as b
from tests.admin.chromium import DESK, PHONE, browsing
from tests.core.identity import network as networks
from tests.labels.people import ALL, MIRA, NOBODY, NOEL, OTTO, RESOLVE
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

    from tests.admin.chromium import Browser

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

MEMBERS = "/admin/labels/actorlabel/"
#: What strangers call themselves: a script, a change of direction, marks that pile up, a word without an end.
HOSTILE = "<script>document.title='owned'</script>\u202e" + "Z" + "\u0489\u0334" * 60 + "x" * 3_000


@pytest.fixture(scope="module")
def service(
    content_types: object, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """An admin whose network has the people of tests.labels.people, and nobody else."""
    with networks.in_a_thread() as network:
        for person in ALL:
            network.answers[f"/{person.did}"] = networks.document(person.did, person.handle)
            network.answers[f"{RESOLVE}{person.handle}"] = {"did": person.did}
        log = tmp_path_factory.mktemp("admin") / "log"
        with Service("admin", log, PLC_URL=network.url, HANDLE_RESOLVER_URL=network.url) as running:
            running.wait_until_up()
            yield running


@pytest.fixture(autouse=True)
def _label(browsed: None) -> None:
    Label.objects.all().delete()
    Label.objects.create(name="choir", meaning="Those who sing on Thursdays.")
    FeedDefinition.objects.all().delete()
    FeedDefinition.objects.create(
        rkey="singers", kind="label", parameters={"label": "choir"}, display_name="Singers", visibility="private"
    )
    for person in ALL:
        b.store(b.identity(person.did, person.handle, at=b.ago(days=1)))
    b.store(b.profile(MIRA.did, at=b.ago(days=1), name="Mira of the lake"))


def members() -> set[str]:
    return set(ActorLabel.objects.values_list("did", flat=True))


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_actor_is_added_by_handle_found_by_it_taken_off_and_given_back(service: Service, width: int) -> None:
    with browsing(service.port, width=width) as browser:
        page = browser.page
        browser.open("/admin/labels/label/")
        page.wait_for_selector("text=members only")
        browser.shot("labels")
        browser.open(f"/admin/labels/label/{Label.objects.get().pk}/change/")
        browser.shot("label")
        browser.open(f"{MEMBERS}add/")
        page.fill("[name=did]", "noone.example.com")
        page.select_option("[name=label]", label="choir")
        page.click("[name=_save]")
        page.wait_for_selector("text=No account has the handle noone.example.com")
        browser.shot("member-nobody")
        page.fill("[name=did]", f"https://bsky.app/profile/{MIRA.handle}")
        page.click("[name=_save]")
        page.wait_for_url(f"**{MEMBERS}")
        assert membership.has_label(MIRA.did, "choir")

        browser.open(f"{MEMBERS}?q=mira.ex")
        page.wait_for_selector("text=Mira of the lake")
        browser.shot("members")
        row = ActorLabel.objects.get()
        browser.open(f"{MEMBERS}{row.pk}/delete/")
        page.click("#main [type=submit] >> nth=-1")
        page.wait_for_url(f"**{MEMBERS}")
        assert not membership.has_label(MIRA.did, "choir")
        browser.shot("member-off")
        link = page.locator("a", has_text="the page of the actor")
        assert "underline" in link.evaluate("link => getComputedStyle(link).textDecorationLine")
        link.click()
        page.click("text=Undo the removal")
        page.wait_for_selector("text=has the label choir again")
        assert membership.has_label(MIRA.did, "choir")
        browser.open(f"{MEMBERS}actor/{MIRA.did}/")
        browser.shot("actor")
        browser.open(f"{MEMBERS}{row.pk}/history/")
        browser.shot("member-history")
        assert browser.said == []


def state(browser: Browser) -> str:
    browser.page.wait_for_selector("[data-progress]", state="detached")
    return str(browser.page.inner_text("#main"))


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_many_are_added_with_errors_shown_first_and_all_of_it_undone(service: Service, width: int) -> None:
    membership.assign("choir", NOEL.did, by="someone")
    with browsing(service.port, width=width) as browser:
        page = browser.page
        browser.open(f"{MEMBERS}add-many/?label=choir")
        pasted = [MIRA.handle, f"@{NOEL.handle}", OTTO.did, MIRA.did, "noone.example.com", NOBODY, "Mr. Nobody"]
        page.fill("[name=actors]", "\n".join(pasted))
        page.select_option("[name=label]", label="choir")
        browser.shot("add-many")
        page.click("text=Preview the changes")
        page.wait_for_url("**/bulkchange/*/change/")
        shown = state(browser)
        for words in ("2 will be changed", "1 nothing to do", "1 duplicate", "2 not found", "1 not a handle or did"):
            assert words in shown
        assert browser.overflow() <= 0
        browser.shot("add-many-plan")
        assert members() == {NOEL.did}

        page.click("[name=do][value=confirm]")
        page.wait_for_selector("text=was added to 2 actors")
        assert members() == {MIRA.did, NOEL.did, OTTO.did}
        browser.shot("add-many-done")
        page.click("[name=do][value=undo]")
        page.wait_for_selector("text=was removed from 2 actors")
        assert members() == {NOEL.did}
        browser.open("/admin/labels/bulkchange/")
        browser.shot("bulk-changes")
        assert browser.said == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_hostile_names_harm_no_page(service: Service, width: int) -> None:
    membership.assign("choir", OTTO.did, by="someone", note=HOSTILE)
    b.store(b.identity(OTTO.did, "x" * 60 + ".example.com", at=b.ago(hours=1)))
    b.store(b.profile(OTTO.did, at=b.ago(hours=1), name=HOSTILE))
    with browsing(service.port, width=width) as browser:
        for address in (MEMBERS, f"{MEMBERS}actor/{OTTO.did}/", f"{MEMBERS}{ActorLabel.objects.get().pk}/change/"):
            browser.open(address)
            assert browser.page.title() != "owned"
            browser.shot(f"hostile-{address.strip('/').rpartition('/')[2][:10]}")
        assert browser.said == []
