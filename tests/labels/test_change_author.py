"""Every change of labels, members and blocks names who made it; of two who change the same at once, one is told."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labels import membership
from labels.change_author import Via
from labels.models import ActorLabel, Block, Label
from tests.labels.people import MIRA, NOEL

if TYPE_CHECKING:
    from tests.core.identity.network import Network

LABELS, MEMBERS, BLOCKS = (f"/admin/labels/{name}/" for name in ("label", "actorlabel", "block"))


def browser_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client


@pytest.fixture
def people(label: str, network: Network) -> dict[str, Client]:
    """Two admins, each with a browser."""
    return {name: browser_of(name) for name in ("anna", "berta")}


def done(response: Any) -> None:
    assert response.status_code == 302, response.content.decode()


def history(model: Any) -> list[tuple[str, str]]:
    """What was done and by whom, the oldest first."""
    entries = model.history.order_by("history_id").select_related("history_user")
    return [(entry.history_type, getattr(entry.history_user, "username", "")) for entry in entries]


def test_changes_of_a_label_name_the_admin(people: dict[str, Client]) -> None:
    Label.history.all().delete()
    done(people["anna"].post(f"{LABELS}add/", {"name": "choir", "meaning": "who sings"}))
    done(people["berta"].post(f"{LABELS}{Label.objects.get(name='choir').pk}/change/", {"meaning": "who sang"}))
    assert history(Label) == [("+", "anna"), ("~", "berta")]


def test_changes_of_blocks_name_the_admin_one_by_one_and_many_at_once(people: dict[str, Client]) -> None:
    for subject in (MIRA.did, NOEL.did):
        done(people["anna"].post(f"{BLOCKS}add/", {"subject": subject, "feed": ""}))
    first, second = Block.objects.order_by("pk")
    changed = {"subject": MIRA.did, "feed": "", "note": "spam"}
    done(people["berta"].post(f"{BLOCKS}{first.pk}/change/", changed))
    done(people["berta"].post(f"{BLOCKS}{first.pk}/delete/", {"post": "yes"}))
    chosen = {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"}
    done(people["anna"].post(BLOCKS, chosen))
    assert history(Block) == [("+", "anna"), ("+", "anna"), ("~", "berta"), ("-", "berta"), ("-", "anna")]
    assert {entry.created_by for entry in Block.history.all()} == {"anna"}


def test_changes_of_a_member_name_the_admin_and_from_where(people: dict[str, Client], label: str) -> None:
    done(people["anna"].post(f"{MEMBERS}add/", {"label": label, "did": MIRA.handle}))
    row = ActorLabel.objects.get()
    done(people["berta"].post(f"{MEMBERS}{row.pk}/change/", {"note": "alto"}))
    done(people["anna"].post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}))
    version = ActorLabel.every.get().time_us
    done(people["berta"].post(f"{MEMBERS}{row.pk}/restore/", {"version": version}))
    entries = ActorLabel.history.order_by("history_id")
    assert [(entry.deleted, entry.note, entry.changed_by, entry.changed_via) for entry in entries] == [
        (False, "", "anna", Via.ADMIN),
        (False, "alto", "berta", Via.ADMIN),
        (True, "alto", "anna", Via.ADMIN),
        (False, "alto", "berta", Via.UNDO),
    ]
    assert [by for _, by in history(ActorLabel)] == ["anna", "berta", "anna", "berta"]


def at_once(people: dict[str, Client], page: str, sent: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What each is answered when both post at the same moment."""
    ready, answers = threading.Barrier(2), {}

    def save(name: str) -> None:
        ready.wait(30)
        answers[name] = people[name].post(page, sent[name])

    threads = [threading.Thread(target=save, args=(name,)) for name in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def told(answers: dict[str, Any]) -> tuple[str, str]:
    """Who saved, and what the other one's page says."""
    (saved,) = (name for name, answer in answers.items() if answer.status_code == 302)
    (other,) = (answer for answer in answers.values() if answer.status_code == 200)
    return saved, other.content.decode()


def seen(browser: Client, page: str) -> str:
    (value,) = re.findall(r'name="seen_change" value="([^"]*)"', browser.get(page).content.decode())
    return str(value)


def test_of_two_who_save_a_label_at_once_one_is_told_what_the_other_changed(people: dict[str, Client]) -> None:
    row = Label.objects.create(name="choir", meaning="before")
    page = f"{LABELS}{row.pk}/change/"
    opened = seen(people["anna"], page)
    sent = {name: {"meaning": f"by {name}", "seen_change": opened} for name in people}
    saved, content = told(at_once(people, page, sent))
    (other,) = people.keys() - {saved}
    assert f"{saved} changed this at " in content
    assert f"“before” → “by {saved}”" in content
    assert f"by {other}" in content  # what was typed is not lost
    assert Label.objects.get(pk=row.pk).meaning == f"by {saved}"
    sent[other]["seen_change"] = re.findall(r'name="seen_change" value="([^"]*)"', content)[0]
    done(people[other].post(page, sent[other]))
    assert Label.objects.get(pk=row.pk).meaning == f"by {other}"


def test_of_two_who_save_a_member_at_once_one_is_told_what_the_other_changed(
    people: dict[str, Client], label: str
) -> None:
    membership.assign(label, MIRA.did, by="anna", note="before")
    page = f"{MEMBERS}{ActorLabel.objects.get().pk}/change/"
    opened = seen(people["anna"], page)
    sent = {name: {"note": f"by {name}", "seen_change": opened} for name in people}
    saved, content = told(at_once(people, page, sent))
    assert f"“before” → “by {saved}”" in content
    assert (ActorLabel.objects.get().note, ActorLabel.objects.get().changed_by) == (f"by {saved}", saved)


def test_of_two_who_add_the_same_member_at_once_one_is_told_that_it_is_there(
    people: dict[str, Client], label: str
) -> None:
    sent = {person: {"label": label, "did": MIRA.did, "note": person} for person in people}
    saved, content = told(at_once(people, f"{MEMBERS}add/", sent))
    assert "already has the label" in content
    assert [(row.did, row.note, row.created_by) for row in ActorLabel.objects.all()] == [(MIRA.did, saved, saved)]
