"""What stands above a page: the way to it in the words of the sidebar, and what people call its row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from atsite.dashboard.headings import Part, parts
from indexer.index.models import StreamGap
from labels import membership
from labels.models import ActorLabel, Label
from tests import builders as b

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    Login = Callable[..., Client]

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("clickhouse", "valkey"),
]


def heading(client: Client, address: str) -> list[str]:
    """The words of the heading of a page."""
    content = client.get(address).content.decode()
    (found,) = re.findall(r"<h1.*?</h1>", content, re.DOTALL)
    return re.findall(r"<bdi>(.*?)</bdi>", found)


@pytest.fixture
def member() -> ActorLabel:
    Label.objects.get_or_create(name="choir")
    membership.assign("choir", b.ALICE, by="someone")
    row: ActorLabel = ActorLabel.objects.get(did=b.ALICE)
    return row


def test_the_way_to_a_page_is_told_in_the_words_of_the_sidebar(login: Login, member: ActorLabel) -> None:
    b.store(b.identity(b.ALICE, "alice.example.com", at=b.ago(days=1)))
    client = login("superuser")
    pages = {
        "admin:index": ["Overview"],
        "admin:labels_actorlabel_changelist": ["Community", "Members"],
        "admin:labels_actorlabel_add": ["Community", "Members", "New member"],
        "admin:labels_actorlabel_bulk_add": ["Community", "Members", "Add a label in bulk"],
        "admin:labels_actorlabel_import_list": ["Community", "Members", "Import a list into a label"],
        "admin:feeds_feeddefinition_changelist": ["Feeds"],
        "admin:indexer_streamgap_changelist": ["Indexed data", "Gaps"],
    }
    assert {name: heading(client, reverse(name)) for name in pages} == pages
    change = reverse("admin:labels_actorlabel_change", args=(member.pk,))
    assert heading(client, change) == ["Community", "Members", "@alice.example.com as choir"]


def test_who_has_no_known_handle_is_called_by_the_did(login: Login, member: ActorLabel) -> None:
    change = reverse("admin:labels_actorlabel_change", args=(member.pk,))
    assert heading(login("superuser"), change)[-1] == f"{b.ALICE} as choir"


@pytest.mark.parametrize(
    ("context", "last"),
    [
        ({"opts": StreamGap._meta, "original": StreamGap()}, "Stream gap"),  # a key of three columns is no name
        ({"opts": StreamGap._meta, "title": "Too slow to answer"}, "Too slow to answer"),
        ({"title": "Password change"}, "Password change"),
        ({}, ""),
    ],
)
def test_a_page_without_a_row_of_a_name_has_its_own(context: dict[str, Any], last: str) -> None:
    assert parts(context)[-1] == Part(last)


def test_the_form_of_a_new_row_asks_only_for_what_somebody_enters(login: Login) -> None:
    client = login("superuser")
    for name in ("labels_actorlabel", "labels_block", "indexer_refusedactor", "apikeys_apikey"):
        content = client.get(reverse(f"admin:{name}_add")).content.decode()
        assert "Created" not in content
        assert 'class="readonly' not in content


def test_times_are_written_with_the_year_first_and_their_zone(login: Login, member: ActorLabel) -> None:
    content = login("superuser").get(reverse("admin:labels_actorlabel_changelist")).content.decode()
    assert f"{member.created_at:%Y-%m-%d %H:%M} UTC" in content
