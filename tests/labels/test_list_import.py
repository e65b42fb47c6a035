"""A list of the network imported into a label: read, shown, confirmed, applied, undone; and who may do it."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User

from atsite.role_groups import grant
from labels import membership
from labels.admin import forms
from labels.bulk_plan import MAX_LINES
from labels.change_author import Via
from labels.models import ActorLabel, BulkChange, Label
from tests import builders as b
from tests.away import clickhouse_away
from tests.search.cleanup import pds_server
from tests.search.cleanup.ruled_server import Answer, cut
from tests.search.cleanup.working import working

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client

    from tests.search.cleanup.pds_server import Account, PdsServer

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

IMPORT = "/admin/labels/actorlabel/import-list/"
LIST, ITEM = "app.bsky.graph.list", "app.bsky.graph.listitem"
FIRST, SECOND, THIRD = (f"did:plc:{letter * 24}" for letter in "xyz")


@pytest.fixture
def pds(tmp_path: Path) -> Iterator[PdsServer]:
    with pds_server.serving(time.time) as server, working(tmp_path, server.url):
        yield server


@pytest.fixture
def owner(pds: PdsServer) -> Account:
    """Who has a list with three members, and an empty one."""
    owner = pds.account("mira")
    listed = {f"{ITEM}/{each[-3:]}": item(owner, each) for each in (FIRST, SECOND, THIRD)}
    owner.repo.write({f"{LIST}/choir": {"name": "The choir"}, f"{LIST}/none": {"name": "Nobody"}, **listed})
    return owner


@pytest.fixture
def browser(label: str, client: Client, clickhouse: None) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def item(owner: Account, did: str) -> dict[str, Any]:
    return {"subject": did, "list": uri_of(owner), "createdAt": "2026-01-01T00:00:00Z"}


def uri_of(owner: Account, rkey: str = "choir") -> str:
    return f"at://{owner.did}/{LIST}/{rkey}"


def sent(browser: Client, label: str, address: str, note: str = "") -> str:
    """The page that follows, as text."""
    given = {"label": label, "address": address, "note": note}
    return html.unescape(browser.post(IMPORT, given, follow=True).content.decode())


def confirmed(browser: Client, do: str = "confirm") -> str:
    """The page after the newest change was confirmed, or undone, and has done its work."""
    change = BulkChange.objects.latest("pk")
    page = f"/admin/labels/bulkchange/{change.pk}/change/"
    after = browser.post(page, {"do": do, "fence": change.fence}, follow=True)
    return html.unescape(browser.get(after.request["PATH_INFO"]).content.decode())


def members(label: str) -> set[str]:
    return set(ActorLabel.objects.filter(label_id=label).values_list("did", flat=True))


@pytest.mark.parametrize("address", ["https://bsky.app/profile/mira.test/lists/choir", "at://mira.test/{LIST}/choir"])
def test_the_members_are_shown_then_added_and_can_be_taken_off_again(
    browser: Client, label: str, owner: Account, address: str
) -> None:
    b.store(b.identity(SECOND, "second.example.com", at=b.ago(hours=1)))  # type: ignore[arg-type]
    membership.assign(label, THIRD, by="someone")  # type: ignore[arg-type]
    shown = sent(browser, label, address.replace("{LIST}", LIST))
    for words in ("2 will be changed", "1 nothing to do", "second.example.com", FIRST):
        assert words in shown
    assert members(label) == {THIRD}
    assert "was added to 2 actors" in confirmed(browser)
    assert members(label) == {FIRST, SECOND, THIRD}
    row = ActorLabel.objects.get(did=FIRST)
    assert (row.created_by, row.note) == ("admin", f"from the list “The choir” ({uri_of(owner)})")
    assert ActorLabel.history.filter(did=FIRST).latest().changed_via == Via.BULK
    logged = list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))
    assert logged[0] == (label, f"Read the list “The choir” ({uri_of(owner)}) to import it: 3 members.")
    assert logged[1][1] == "Confirmed: add."
    assert "was removed from 2 actors" in confirmed(browser, "undo")
    assert members(label) == {THIRD}


def test_a_note_of_ones_own_is_kept_instead(browser: Client, label: str, owner: Account) -> None:
    sent(browser, label, uri_of(owner), note="singers of 2026")
    confirmed(browser)
    assert set(ActorLabel.objects.values_list("note", flat=True)) == {"singers of 2026"}


def test_without_clickhouse_the_plan_has_no_handles(browser: Client, label: str, owner: Account) -> None:
    with clickhouse_away():
        assert "3 will be changed" in sent(browser, label, uri_of(owner))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mira.test", "Enter the address of a list"),
        ("https://bsky.app/profile/mira.test/post/3k", "Enter the address of a list"),
        (f"at://nobody.test/{LIST}/a", "The list cannot be read: there is no account with this name."),
        (f"at://mira.test/{LIST}/other", "The list cannot be read: there is no such list."),
        (f"at://mira.test/{LIST}/none", "This list has no members."),
    ],
)
def test_what_cannot_be_imported_is_said_beside_the_field(
    browser: Client, label: str, owner: Account, address: str, words: str
) -> None:
    assert words in sent(browser, label, address)
    assert not BulkChange.objects.exists()


def test_a_server_that_goes_away_is_said(browser: Client, label: str, owner: Account, pds: PdsServer) -> None:
    pds.fail("listRecords", cut())
    assert "The list cannot be read: the server (PDS) of this account cannot be reached." in sent(
        browser, label, uri_of(owner)
    )


def test_a_list_that_is_too_long_or_has_no_end_is_refused(
    browser: Client, label: str, owner: Account, pds: PdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "LIST_PAGES", 2)
    pds.rule("listRecords", lambda call, go_on: Answer(200, {"records": [{}], "cursor": f"{time.time()}"}), times=None)
    assert "has more than 200 list items" in sent(browser, label, uri_of(owner))
    assert len(pds.asked("listRecords")) == 2
    pds.well()
    monkeypatch.setattr(forms, "MAX_LINES", 2)
    assert "The list has 3 members, and at most 2 are added at once." in sent(browser, label, uri_of(owner))
    assert not BulkChange.objects.exists()
    assert MAX_LINES == 5_000


def test_only_who_may_change_many_members_is_offered_it(client: Client, label: str, owner: Account) -> None:
    grant(using="default", apps=apps)
    page = f"/admin/labels/label/{Label.objects.get(name=label).pk}/change/"
    for role, offered in (("moderators", True), ("viewers", False)):
        person = User.objects.create_user(role, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        client.force_login(person)
        assert (f"{IMPORT}?label={label}" in client.get(page).content.decode()) is offered
        assert client.get(IMPORT).status_code == (200 if offered else 403)
        given = {"label": label, "address": uri_of(owner)}
        assert client.post(IMPORT, given).status_code == (302 if offered else 403)
    assert BulkChange.objects.count() == 1
