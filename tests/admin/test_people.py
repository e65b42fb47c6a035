"""People and roles: nobody gives or takes more than they have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

from tests import builders as b
from tests.rows import store

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/auth/user/"


def form(name: str, **changed: Any) -> dict[str, Any]:
    return {"username": name, "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00", **changed}


def test_an_operator_makes_a_moderator(login: Callable[..., Client]) -> None:
    operator = login("operators")
    new = {"username": "mira", "password1": "a long enough one 77", "password2": "a long enough one 77"}
    assert operator.post(f"{PEOPLE}add/", {**new, "usable_password": "true"}).status_code == 302
    mira = User.objects.get(username="mira")
    moderators = Group.objects.get(name="moderators")
    changed = form("mira", is_staff="on", groups=[str(moderators.pk)])
    assert operator.post(f"{PEOPLE}{mira.pk}/change/", changed).status_code == 302
    assert list(User.objects.get(pk=mira.pk).groups.all()) == [moderators]


def test_roles_are_ticked_and_called_so(login: Callable[..., Client]) -> None:
    mira = User.objects.create_user("mira")
    page = login("operators").get(f"{PEOPLE}{mira.pk}/change/").content.decode()
    moderators = Group.objects.get(name="moderators")
    assert re.search(rf'<input type="checkbox" name="groups" value="{moderators.pk}"', page)
    assert "Roles" in page
    assert "The groups this user belongs to" not in page


def test_the_list_names_everyones_roles(login: Callable[..., Client]) -> None:
    mira = User.objects.create_user("mira")
    mira.groups.set(Group.objects.filter(name__in=("moderators", "viewers")))
    rows = login("operators").get(PEOPLE).content.decode()
    assert re.search(r">\s*moderators, viewers\s*<", rows)


def test_what_people_did_is_told_in_words(clickhouse: None, login: Callable[..., Client]) -> None:
    store(b.identity(b.ALICE, "alice.example.com", at=b.ago(days=1)))
    superuser = login("superuser")
    kind, who = ContentType.objects.get_for_model(User), User.objects.get()
    changed = '[{"changed": {"fields": ["Display name", "pinned_post", "URL"]}}]'
    for flag, message in (
        (ADDITION, '[{"added": {}}]'),
        (CHANGE, changed),
        (CHANGE, "Revoked."),
        (CHANGE, "7"),
        (DELETION, ""),
    ):
        LogEntry.objects.create(
            user=who,
            content_type=kind,
            object_id="1",
            object_repr=f"{b.ALICE} as choir",
            action_flag=flag,
            change_message=message,
        )
    page = superuser.get("/admin/admin/logentry/").content.decode()
    told = re.findall(r"field-what[^>]*>(?:<[^>]*>)*\s*([^<]*?)\s*<", page)
    assert told == ["Deleted.", "7", "Revoked.", "Changed display name, pinned post and URL.", "Added."]
    assert page.count("@alice.example.com as choir") == 5
    assert b.ALICE not in page
    one = superuser.get(f"/admin/admin/logentry/{LogEntry.objects.latest('pk').pk}/change/").content.decode()
    assert "@alice.example.com as choir" in one
    assert "Deleted." in one


def test_an_operator_cannot_make_a_superuser_or_give_single_permissions(login: Callable[..., Client]) -> None:
    operator = login("operators")
    mira = User.objects.create_user("mira")
    everything = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    changed = form("mira", is_superuser="on", user_permissions=everything)
    assert operator.post(f"{PEOPLE}{mira.pk}/change/", changed).status_code == 302
    mira.refresh_from_db()
    assert (mira.is_superuser, mira.user_permissions.count()) == (False, 0)


def test_an_operator_cannot_give_a_role_that_can_do_more(login: Callable[..., Client]) -> None:
    operator = login("operators")
    strong = Group.objects.create(name="strong")
    strong.permissions.set(Permission.objects.filter(codename="delete_group"))
    mira = User.objects.create_user("mira")
    response = operator.post(f"{PEOPLE}{mira.pk}/change/", form("mira", groups=[str(strong.pk)]))
    assert response.status_code == 200
    assert "is not one of the available choices" in response.content.decode()
    assert not mira.groups.exists()


@pytest.mark.parametrize("stronger", ["superuser", "strong"])
def test_an_operator_cannot_touch_who_can_do_more(login: Callable[..., Client], stronger: str) -> None:
    operator = login("operators")
    boss = User.objects.create_user("boss", is_superuser=stronger == "superuser")
    if stronger == "strong":
        boss.user_permissions.set(Permission.objects.filter(codename="delete_group"))
    for page, data in (("change", form("boss")), ("password", {}), ("delete", {"post": "yes"})):
        assert operator.post(f"{PEOPLE}{boss.pk}/{page}/", data).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(boss.pk)], "post": "yes"}
    operator.post(PEOPLE, chosen)
    assert User.objects.filter(username="boss").exists()
    assert operator.get(f"{PEOPLE}{boss.pk}/change/").status_code == 200


def test_the_roles_of_the_site_are_shown_and_not_edited(login: Callable[..., Client]) -> None:
    superuser = login("superuser")
    viewers = Group.objects.get(name="viewers")
    page = f"/admin/auth/group/{viewers.pk}/"
    assert superuser.get(f"{page}change/").status_code == 200
    assert superuser.post(f"{page}change/", {"name": "viewers"}).status_code == 403
    assert superuser.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    own = Group.objects.create(name="friends")
    assert superuser.post(f"/admin/auth/group/{own.pk}/change/", {"name": "friends of ours"}).status_code == 302
