"""Actors who are not indexed, as a list in the admin: added, explained, lifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from atsite.core.clickhouse import door
from atsite.dashboard import empty_lists
from indexer.index import do_not_index
from indexer.index.models import RefusedActor
from tests import builders as b
from tests.away import clickhouse_away
from tests.labels.people import MIRA

if TYPE_CHECKING:
    import redis

    from tests.core.identity.network import Network

ROWS = "/admin/indexer/refusedactor/"

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture(autouse=True)
def _stores(clickhouse: None, valkey: redis.Redis, transactional_db: None) -> None:
    do_not_index._copy.drop()


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("mod"))
    return client


def floors() -> list[str]:
    return list(door.column("SELECT did FROM repo_floors WHERE reason = 'do not index'", name="tests.floors"))


def test_an_actor_is_added_with_a_note_and_lifted_by_deleting_the_row(browser: Client) -> None:
    assert browser.post(f"{ROWS}add/", {"did": b.ALICE, "note": "asked"}).status_code == 302
    row = RefusedActor.objects.get()
    assert (row.did, row.note, row.created_by) == (b.ALICE, "asked", "mod")
    assert floors() == [b.ALICE]
    assert do_not_index.excluded_dids() == {b.ALICE}
    assert "asked" in browser.get(ROWS).content.decode()
    lifted = browser.post(f"{ROWS}{row.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "This actor is indexed again from now on." in lifted
    assert not RefusedActor.objects.exists()
    assert [entry.history_type for entry in RefusedActor.history.order_by("history_id")] == ["+", "-"]


@pytest.mark.parametrize(
    "written",
    [
        f"@{MIRA.handle}",
        MIRA.did,
        f"https://bsky.app/profile/{MIRA.handle}",
        f"https://bsky.app/profile/{MIRA.did}",
        f"\u202a{MIRA.handle}\u202c",
    ],
)
def test_an_actor_is_entered_as_members_are(browser: Client, network: Network, written: str) -> None:
    assert "A handle, a did, or the address of a profile" in browser.get(f"{ROWS}add/").content.decode()
    assert browser.post(f"{ROWS}add/", {"did": written, "note": ""}).status_code == 302
    assert do_not_index.excluded_dids() == {MIRA.did}
    row = RefusedActor.objects.get()
    assert browser.post(f"{ROWS}{row.pk}/change/", {"note": "why"}).status_code == 302
    assert list(RefusedActor.objects.values_list("did", "note")) == [(MIRA.did, "why")]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("nobody.example.com", "No account has the handle nobody.example.com."),
        ("Mira of the lake", "is not a handle, a did or a profile address"),
        ("", "Enter a handle, a did or a profile address"),
        ("handle.invalid", "handle.invalid names no account"),
        (MIRA.did, "already exists"),
    ],
)
def test_what_names_nobody_new_is_refused(browser: Client, network: Network, written: str, sentence: str) -> None:
    RefusedActor.objects.create(did=MIRA.did)
    assert sentence in browser.post(f"{ROWS}add/", {"did": written, "note": ""}).content.decode()
    assert RefusedActor.objects.count() == 1


def test_the_empty_list_says_that_people_fill_it(browser: Client) -> None:
    content = browser.get(ROWS).content.decode()
    assert empty_lists.FIRST_STEPS["indexer.refusedactor"] in content
    assert empty_lists.UNTIL_INDEXED not in content


def test_with_clickhouse_away_it_is_said_that_it_takes_a_minute(browser: Client) -> None:
    with clickhouse_away():
        said = browser.post(f"{ROWS}add/", {"did": b.ALICE, "note": ""}, follow=True).content.decode()
    assert "ClickHouse does not answer" in said
    assert do_not_index.excluded_dids() == {b.ALICE}


def test_nobody_without_the_right_adds_or_lifts() -> None:
    row = RefusedActor.objects.create(did=b.ALICE)
    person = User.objects.create_user("viewer", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_refusedactor"))
    client = Client()
    client.force_login(person)
    assert client.get(ROWS).status_code == 200
    assert client.post(f"{ROWS}add/", {"did": b.BOB, "note": ""}).status_code == 403
    assert client.post(f"{ROWS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert list(RefusedActor.objects.values_list("did", flat=True)) == [b.ALICE]
