"""Every address of the admin, for everybody: strangers see the login, and who lacks a right gets 403.

The addresses are found by walking the site, so a new model or page is tried without a line here. A page that is not
one of Django's own names its right in its admin class: `url_rights = {"app_model_page": Right.…}` (or a verb).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

import atsite.urls.admin  # noqa: F401 - what autodiscover registered is what is walked
from atsite.core.clickhouse.models import ReadModel
from atsite.core.roles import MEANINGS, MODERATORS, OPERATORS, ROLES, VIEWERS, Right, Role
from tests.admin.addresses import VERBS, Address, of_models, of_the_site
from tests.admin.rows import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ADDRESSES = list(of_models())
NO_KEY = "no-such-key"
#: Pages of the site itself, and what one without any right gets there.
OF_THE_SITE = {
    "index": 200,
    "search": 200,
    "jsi18n": 200,
    "password_change": 200,
    "password_change_done": 200,
    "autocomplete": 403,
    "app_list": 404,
}
ARGUMENTS: dict[str, list[Any]] = {"app_list": ["labels"]}


@pytest.fixture
def pks(groups: None) -> dict[type, object]:
    """The key of a row of each model in `default`."""
    return {model: make().pk for model, make in MAKERS.items()}


def address(page: Address, pks: dict[type, object]) -> str:
    pk = pks.get(page.model, NO_KEY)
    version = page.model.history.first().pk if page.name.endswith("_simple_history") else "1"  # type: ignore[attr-defined]
    return page.url(pk, other=str(version))


def test_every_model_of_the_admin_has_a_row_to_try() -> None:
    missing = [m.__name__ for m in admin.site._registry if not issubclass(m, ReadModel) and m not in MAKERS]
    assert missing == [], "add a maker to tests/admin/rows.py"


def test_every_page_says_which_right_opens_it() -> None:
    assert [page.name for page in ADDRESSES if page.needs is None] == [], "name it in url_rights of its admin class"


def test_every_page_of_the_site_itself_is_known() -> None:
    assert set(of_the_site()) - {"login", "logout"} == set(OF_THE_SITE)


def test_a_stranger_is_led_to_the_login_from_everywhere(pks: dict[type, object]) -> None:
    stranger = Client()
    urls = [address(page, pks) for page in ADDRESSES]
    urls += [reverse(f"admin:{name}", args=ARGUMENTS.get(name)) for name in OF_THE_SITE]
    urls += ["/admin/nothing/like/this/"]
    login = reverse("admin:login")
    for url in urls:
        for response in (stranger.get(url), stranger.post(url, {"post": "yes"})):
            assert (response.status_code, response["Location"].partition("?")[0]) == (302, login), url


def test_who_has_no_role_gets_no_page_of_any_model(pks: dict[type, object], login: Callable[..., Client]) -> None:
    nobody = login()
    for page in ADDRESSES:
        url = address(page, pks)
        assert nobody.get(url).status_code == 403, url
        assert nobody.post(url, {"post": "yes"}).status_code == 403, url


def test_who_has_no_role_sees_only_what_belongs_to_nobody(login: Callable[..., Client]) -> None:
    nobody = login()
    found = {name: nobody.get(reverse(f"admin:{name}", args=ARGUMENTS.get(name))).status_code for name in OF_THE_SITE}
    assert found == OF_THE_SITE


def test_no_row_has_a_page_elsewhere(login: Callable[..., Client]) -> None:
    """Django's address for it looks the row up, also in tables that do not exist."""
    nobody = login()
    kinds = ContentType.objects.values_list("pk", flat=True)
    assert {nobody.get(f"/admin/r/{kind}/1/").status_code for kind in kinds} == {404}


def test_who_is_no_staff_is_led_to_the_login(groups: None) -> None:
    person = User.objects.create_user("reader")
    person.groups.set(Group.objects.all())
    client = Client()
    client.force_login(person)
    assert client.get(reverse("admin:labels_label_changelist")).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_opens_what_its_list_says_and_nothing_else(
    role: Role, pks: dict[type, object], login: Callable[..., Client]
) -> None:
    browser, superuser = login(role.name), login("superuser")
    expected, found = {}, {}
    for page in ADDRESSES:
        url = address(page, pks)
        allowed = page.needs in role.rights if isinstance(page.needs, Right) else page.needs in verbs(role, page.model)
        expected[page.name] = (superuser.get(url).status_code, None) if allowed else (403, 403)
        posted = None if allowed else browser.post(url, {"post": "yes"}).status_code
        found[page.name] = (browser.get(url).status_code, posted)
    assert found == expected


def verbs(role: Role, model: Any) -> frozenset[str]:
    granted = role.verbs(model._meta.label_lower)
    return granted | {"view"} if "change" in granted else granted


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_who_may_only_view_a_row_cannot_save_it(
    role: Role, pks: dict[type, object], login: Callable[..., Client]
) -> None:
    browser = login(role.name)
    for page in ADDRESSES:
        if page.name.endswith("_change") and "change" not in role.verbs(page.model._meta.label_lower):
            assert browser.post(address(page, pks), {}).status_code == 403, page.name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_an_action_of_a_list_is_offered_to_nobody_who_may_not_do_it(role: Role, login: Callable[..., Client]) -> None:
    browser = login(role.name)
    for model, model_admin in admin.site._registry.items():
        granted = role.verbs(model._meta.label_lower)
        if issubclass(model, ReadModel) or "view" not in granted or granted - {"view"}:
            continue
        request = browser.get(reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")).wsgi_request
        rights: dict[str, Right] = getattr(model_admin, "action_rights", {})
        allowed = {name for name, right in rights.items() if right in role.rights}
        assert set(model_admin.get_actions(request)) == allowed, model.__name__


def test_the_roles_name_no_app_or_model_that_is_not_there() -> None:
    labels = {model._meta.label_lower for model in apps.get_models()}
    for role in ROLES:
        for name in role.models:
            assert name in labels or any(label.startswith(name.removesuffix("*")) for label in labels), name


def test_migrate_writes_the_roles_into_the_groups_and_sets_back_what_was_changed(groups: None) -> None:
    def held() -> dict[str, set[str]]:
        return {
            group.name: {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
            for group in Group.objects.filter(name__in=[role.name for role in ROLES])
        }

    before = held()
    assert {f"atsite.{right}" for right in MODERATORS.rights} <= before["moderators"]
    assert {name for name in before["viewers"] if not name.partition(".")[2].startswith("view_")} == {
        Right.SEE_NUMBERS.permission
    }
    assert before["viewers"] < before["operators"]
    assert {name for name in before["operators"] if name.startswith(("auth.", "admin.", "sessions."))} == {
        *("auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user"),
        *("auth.view_group", "admin.view_logentry"),
    }
    Group.objects.get(name="viewers").permissions.set(Permission.objects.all())
    Group.objects.get(name="moderators").delete()
    call_command("migrate", database="default", verbosity=0)
    assert held() == before


def test_every_right_has_a_meaning_and_operators_have_them_all() -> None:
    assert set(MEANINGS) == set(Right) == OPERATORS.rights
    assert VIEWERS.rights == {Right.SEE_NUMBERS}
    assert all(set(VERBS.values()) >= granted - {"change"} for role in ROLES for granted in role.models.values())
