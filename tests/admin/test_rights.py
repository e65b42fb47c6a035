"""Who may do what in the admin, written once more: atsite/core/roles.py cannot tell whether it is right itself.

The walk over every address is in test_doors.py; here each right, each page that changes something and each action of a
list has its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse

import atsite.urls.admin  # noqa: F401 - what autodiscover registered is what is walked
from atsite.core.clickhouse.models import ReadModel
from tests.admin.addresses import KNOWN, of_models
from tests.admin.rows import DID, MAKERS
from tests.admin.test_doors import ADDRESSES, ARGUMENTS, OF_THE_SITE, address

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

EVERYONE = ("operators", "moderators", "viewers")
MEMBERS = ("operators", "moderators")
OPERATORS = ("operators",)
NONE: tuple[str, ...] = ()
SUPERUSERS_ONLY = NONE

#: Who has each right beyond viewing, adding, changing and deleting rows.
RIGHTS = {
    "see_numbers": EVERYONE,
    "preview_feed": MEMBERS,
    "bulk_label": MEMBERS,
    "export_labels": MEMBERS,
    "refresh_feed": OPERATORS,
    "publish_feed": OPERATORS,
    "mint_key": OPERATORS,
    "rotate_key": OPERATORS,
    "revoke_key": OPERATORS,
    "backfill": OPERATORS,
    "purge_author": OPERATORS,
    "retry_dead_letters": OPERATORS,
    "cancel_job": OPERATORS,
    "retry_job": OPERATORS,
    "pause_cleanups": OPERATORS,
}
#: Who sees the rows of each app or model, and who edits them.
ROWS = {
    "labels": (EVERYONE, MEMBERS),
    "feeds": (EVERYONE, OPERATORS),
    "apikeys": (EVERYONE, OPERATORS),
    "cleanup": (EVERYONE, OPERATORS),
    "cleanup.pdssession": (NONE, NONE),
    "cleanup.refusedaccount": (OPERATORS, OPERATORS),
    "cleanup.cleanupaudit": (OPERATORS, NONE),
    "indexer": (EVERYONE, NONE),
    "auth.user": (OPERATORS, OPERATORS),
    "auth.group": (OPERATORS, SUPERUSERS_ONLY),
    "admin.logentry": (OPERATORS, NONE),
}
#: The roles that may open each page which this project adds to Django's own.
PAGES = {
    "indexer_deadletter_retry_many": OPERATORS,
    "indexer_deadletter_retry": OPERATORS,
    "labels_actorlabel_actor": EVERYONE,
    "labels_actorlabel_restore": MEMBERS,
    "labels_actorlabel_fetch": OPERATORS,
    "labels_actorlabel_bulk_add": MEMBERS,
    "labels_actorlabel_import_list": MEMBERS,
    "labels_actorlabel_bulk_remove": MEMBERS,
    "labels_actorlabel_export": MEMBERS,
    "auth_user_password_change": OPERATORS,
    "feeds_feeddefinition_kind": OPERATORS,
    "feeds_feeddefinition_preview": MEMBERS,
    "feeds_feeddefinition_query": OPERATORS,
    "feeds_feeddefinition_trial": OPERATORS,
    "feeds_feeddefinition_why": MEMBERS,
    "feeds_feeddefinition_backtest": MEMBERS,
    "feeds_feeddefinition_refresh": OPERATORS,
    "feeds_feeddefinition_use": EVERYONE,
    "feeds_feeddefinition_publishing": OPERATORS,
    "feeds_feeddefinition_block": MEMBERS,
    "feeds_feeddefinition_refuse": OPERATORS,
    "cleanup_repocleanupjob_cancel": OPERATORS,
    "cleanup_repocleanupjob_retry": OPERATORS,
    "cleanup_repocleanupjob_pause": OPERATORS,
    "apikeys_apikey_rotate": OPERATORS,
    "apikeys_apikey_revoke": OPERATORS,
    "apikeys_apikey_end_old": OPERATORS,
}
#: The roles that may add and delete rows of each model on its pages; other models have no such pages for any role.
ADDED = {
    **dict.fromkeys(("labels_label", "labels_block", "labels_actorlabel"), MEMBERS),
    **dict.fromkeys(("feeds_feeddefinition", "apikeys_apikey", "auth_user", "indexer_refusedactor"), OPERATORS),
    "cleanup_refusedaccount": OPERATORS,
}
DELETED = {
    **dict.fromkeys(("labels_block", "labels_actorlabel"), MEMBERS),
    **dict.fromkeys(("feeds_feeddefinition", "auth_user", "indexer_refusedactor"), OPERATORS),
    "cleanup_refusedaccount": OPERATORS,
}
#: Who is offered each action of a list.
ACTIONS = {
    ("indexer.backfill", "fetch_again"): OPERATORS,
    ("indexer.deadletter", "retry"): OPERATORS,
    ("labels.block", "delete_selected"): MEMBERS,
    ("labels.actorlabel", "remove_label"): MEMBERS,
    ("auth.user", "delete_selected"): OPERATORS,
    ("feeds.feeddefinition", "delete_selected"): OPERATORS,
    ("cleanup.repocleanupjob", "cancel"): OPERATORS,
    ("cleanup.repocleanupjob", "retry"): OPERATORS,
    ("cleanup.refusedaccount", "delete_selected"): OPERATORS,
    ("apikeys.apikey", "revoke"): OPERATORS,
}


@pytest.fixture
def pks(groups: None) -> dict[type, object]:
    """The key of a row of each model in `default`; both an actor that is labelled and a label without members."""
    return {model: make().pk for model, make in MAKERS.items()}


def test_each_role_has_the_permissions_of_the_table_and_no_others(groups: None) -> None:
    for role in EVERYONE:
        held = set(
            Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename").iterator()
        )
        expected = {("atsite", right) for right, roles in RIGHTS.items() if role in roles}
        for app, codename in {(app, codename) for app, codename in held if app != "atsite"} | _all_permissions():
            verb, _, model = codename.partition("_")
            seen, edited = ROWS.get(f"{app}.{model}", ROWS.get(app, (NONE, NONE)))
            if role in (seen if verb == "view" else edited):
                expected.add((app, codename))
        assert held == expected, role


def _all_permissions() -> set[tuple[str, str]]:
    rows = Permission.objects.values_list("content_type__app_label", "codename")
    return {(app, codename) for app, codename in rows if app != "atsite"}


def test_every_page_and_action_has_its_line_in_the_tables() -> None:
    own = {page.name for page in of_models() if _own(page.name, page.model) not in KNOWN}
    assert own == set(PAGES)


def _own(name: str, model: type) -> str:
    return name.removeprefix(f"{model._meta.app_label}_{model._meta.model_name}_")  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", EVERYONE)
def test_a_page_that_is_not_djangos_is_refused_to_each_role_that_the_table_does_not_name(
    role: str, pks: dict[type, object], login: Callable[..., Client]
) -> None:
    """Also to one who sends its form: a page may check the right for one of the two alone."""
    browser = login(role)
    found, expected = {}, {}
    for page in ADDRESSES:
        if page.name in PAGES:
            url = address(page, pks) if page.parameters != ("did",) else page.url(DID, other=DID)
            allowed = role in PAGES[page.name]
            answers = {browser.post(url, {"post": "yes"}).status_code} if not allowed else set()
            found[page.name] = {browser.get(url).status_code == 403} | {status == 403 for status in answers}
            expected[page.name] = {not allowed}
    assert found == expected


@pytest.mark.parametrize("role", EVERYONE)
def test_rows_are_added_and_deleted_by_those_of_the_table_alone(
    role: str, pks: dict[type, object], login: Callable[..., Client]
) -> None:
    browser = login(role)
    refused, expected = set(), set()
    for page in ADDRESSES:
        if issubclass(page.model, ReadModel):
            continue
        what = _own(page.name, page.model)
        model = page.name.removesuffix(f"_{what}")
        table = {"add": ADDED, "delete": DELETED}.get(what)
        if table is None or (model == "labels_label" and what == "delete"):  # no role can delete a label in use
            continue
        if browser.get(address(page, pks)).status_code == 403:
            refused.add(page.name)
        if role not in table.get(model, NONE):
            expected.add(page.name)
    assert refused == expected


@pytest.mark.parametrize("role", EVERYONE)
def test_an_action_of_a_list_is_offered_to_those_of_the_table_alone(role: str, login: Callable[..., Client]) -> None:
    login(role)
    request = RequestFactory().get("/")
    request.user = User.objects.get(username=role)
    offered = {
        (model._meta.label_lower, name)
        for model, model_admin in admin.site._registry.items()
        for name in model_admin.get_actions(request)
    }
    assert offered == {action for action, roles in ACTIONS.items() if role in roles}


def test_no_address_takes_a_form_without_its_token(pks: dict[type, object], login: Callable[..., Client]) -> None:
    """Another site can make the browser of a user send a form, but cannot know the token."""
    trusted = login("superuser")
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = trusted.cookies
    urls = [address(page, pks) for page in ADDRESSES]
    urls += [reverse(f"admin:{name}", args=ARGUMENTS.get(name)) for name in {*OF_THE_SITE, "login", "logout"}]
    taken = {}
    for url in urls:
        answer = browser.post(url, {"post": "yes"})
        if answer.status_code != 403 or b">The form is too old</h1>" not in answer.content:
            taken[url] = answer.status_code
    assert taken == {}
