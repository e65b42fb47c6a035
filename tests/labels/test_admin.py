"""Labels, members and blocks in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from atsite.atproto.syntax import Did
from labels import access
from labels.admin import ActorLabelAdmin
from labels.models import ActorLabel, Block, Label
from labels.queries import members
from tests.away import redis_away

if TYPE_CHECKING:
    from django.test import Client

MIRA = Did("did:plc:mira")
MEMBERS = "/admin/labels/actorlabel/"


@pytest.fixture
def browser(label: str, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_a_member_is_added_removed_and_added_again(browser: Client, label: str) -> None:
    form = {"label": label, "did": MIRA, "note": "founder"}
    assert browser.post(f"{MEMBERS}add/", form).status_code == 302
    assert access.has_label(MIRA, label)
    (row,) = ActorLabel.objects.all()
    assert (row.created_by, row.note) == ("admin", "founder")
    assert browser.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not access.has_label(MIRA, label)
    assert members(label) == []
    assert browser.get(MEMBERS).context["cl"].result_count == 0
    assert browser.post(f"{MEMBERS}add/", form).status_code == 302
    assert access.has_label(MIRA, label)
    assert [entry.history_user.username for entry in row.history.all()] == ["admin"] * 3
    assert browser.get(f"{MEMBERS}{row.pk}/history/").status_code == 200


def test_many_members_are_removed_at_once(browser: Client, label: str) -> None:
    for number in range(3):
        access.assign(label, Did(f"did:plc:{number}"), by="admin")
    chosen = [str(pk) for pk in ActorLabel.objects.values_list("pk", flat=True)]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert browser.post(MEMBERS, form).status_code == 302
    assert (ActorLabel.objects.count(), ActorLabel.every.count(), members(label)) == (0, 3, [])


def test_the_form_refuses_what_is_no_did_or_there_already(browser: Client, label: str) -> None:
    access.assign(label, MIRA, by="admin")
    for did, message in (("mira.example.com", "Enter a did"), (MIRA, "already exists")):
        response = browser.post(f"{MEMBERS}add/", {"label": label, "did": did})
        assert response.status_code == 200
        assert message in response.content.decode()


def test_label_and_did_of_a_member_and_the_name_of_a_label_stay(browser: Client, label: str) -> None:
    access.assign(label, MIRA, by="admin")
    row = ActorLabel.objects.get()
    browser.post(f"{MEMBERS}{row.pk}/change/", {"label": "other", "did": "did:plc:noel", "note": "new"})
    row.refresh_from_db()
    assert (row.label_id, row.did, row.note) == (label, MIRA, "new")
    pk = Label.objects.get().pk
    browser.post(f"/admin/labels/label/{pk}/change/", {"name": "renamed", "meaning": "m"})
    assert list(Label.objects.values_list("name", "meaning")) == [(label, "m")]
    assert browser.post(f"/admin/labels/label/{pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_change_that_redis_did_not_hear_of_says_so(browser: Client, label: str) -> None:
    with redis_away():
        response = browser.post(f"{MEMBERS}add/", {"label": label, "did": MIRA}, follow=True)
    assert "it takes up to 30 seconds" in response.content.decode()


def test_who_saves_what_somebody_else_has_just_changed_is_led_back(
    browser: Client, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    access.assign(label, MIRA, by="admin", note="old")
    row = ActorLabel.objects.get()
    save_model = ActorLabelAdmin.save_model

    def after_another(self: ActorLabelAdmin, *args: Any) -> None:
        ActorLabel.objects.filter(pk=row.pk).update(note="theirs")
        save_model(self, *args)

    monkeypatch.setattr(ActorLabelAdmin, "save_model", after_another)
    page = f"{MEMBERS}{row.pk}/change/"
    response = browser.post(page, {"note": "mine"}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert "was changed by somebody else meanwhile" in response.content.decode()
    # The other change was made inside this request's transaction here, and went with it.
    assert ActorLabel.objects.get().note == "old"


def test_a_block_is_added_and_deleted(browser: Client) -> None:
    assert browser.post("/admin/labels/block/add/", {"subject": MIRA, "feed": "whats-hot"}).status_code == 302
    (block,) = Block.objects.all()
    assert (block.subject, block.feed, block.created_by) == (MIRA, "whats-hot", "admin")
    assert browser.post(f"/admin/labels/block/{block.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Block.objects.exists()
