"""API keys in the admin: shown once, chosen rights, another secret, revoked for good, and how they are used."""

from __future__ import annotations

import re
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from apikeys import keys, usage
from apikeys.check import check
from apikeys.models import ApiKey, add_key
from atsite.core.web.auth import Principal, Scope
from atsite.core.web.xrpc import XrpcError
from tests.away import clickhouse_away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apikeys.keys import Key

KEYS = "/admin/apikeys/apikey/"
FORM: dict[str, Any] = {"note": "bot", "scopes": ["members"], "feeds": ["a-mpls", "cl-tqsp"], "rate_limit": "60"}

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


def principal(*scopes: Scope, feeds: Sequence[str] = ()) -> Principal:
    """What the one key that there is opens."""
    return Principal(ApiKey.objects.get().key_id, frozenset(scopes), frozenset(feeds))


def browser_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client


@pytest.fixture
def browser(stores: None) -> Client:
    import_module("feeds.migrations.0104_first_feeds").add(apps, None)
    return browser_of("admin")


def page_of(key: Key) -> str:
    return f"{KEYS}{ApiKey.objects.get(key_id=key.id).pk}/"


def shown_secret(content: str) -> str:
    (text,) = re.findall(r'<code id="api-key"[^>]*>(\S+)</code>', content)
    return str(text)


def refusal(text: str) -> str:
    with pytest.raises(XrpcError) as refused:
        check(text)
    return refused.value.message


def test_a_new_key_is_shown_in_one_answer_and_nowhere_else(browser: Client) -> None:
    response = browser.post(f"{KEYS}add/", FORM)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    text = shown_secret(response.content.decode())
    assert check(text) == principal(Scope.MEMBERS, feeds=["a-mpls", "cl-tqsp"])
    row = ApiKey.objects.get()
    secret = text.rpartition(row.key_id)[2]
    for page in (KEYS, f"{KEYS}{row.pk}/change/", f"{KEYS}{row.pk}/history/"):
        content = browser.get(page).content.decode()
        assert row.key_id in content
        assert secret not in content
        assert row.secret_hash not in content
    assert all(text not in morsel.value for morsel in browser.cookies.values())


def test_the_form_of_a_new_key_sent_again_makes_no_second_key(browser: Client) -> None:
    (id,) = re.findall(r'name="new_id" value="([^"]*)"', browser.get(f"{KEYS}add/").content.decode())
    text = shown_secret(browser.post(f"{KEYS}add/", {**FORM, "new_id": id}).content.decode())
    assert keys.parse(text) is not None
    row = ApiKey.objects.get(key_id=id)
    again = browser.post(f"{KEYS}add/", {**FORM, "note": "again", "new_id": id}, follow=True)
    assert again.redirect_chain == [(f"{KEYS}{row.pk}/change/", 302)]
    assert "This key already exists, and its secret is shown only once." in again.content.decode()
    assert "atsk_" not in again.content.decode()
    assert [(row.key_id, row.note) for row in ApiKey.objects.all()] == [(id, "bot")]
    assert check(text) == principal(Scope.MEMBERS, feeds=["a-mpls", "cl-tqsp"])
    assert (
        "Reload this form, then send it again."
        in browser.post(f"{KEYS}add/", {**FORM, "new_id": "aaaaaaaaaaaa"}).content.decode()
    )


def test_of_one_form_sent_twice_at_once_one_key_is_made(browser: Client) -> None:
    sent, ready, answers = {**FORM, "new_id": keys.mint_id()}, threading.Barrier(2), []

    def send(client: Client) -> None:
        ready.wait(30)
        answers.append(client.post(f"{KEYS}add/", sent).status_code)

    threads = [threading.Thread(target=send, args=(client,)) for client in (browser, browser_of("berta"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [200, 302]
    assert ApiKey.objects.get().key_id == sent["new_id"]


def test_no_script_or_style_is_inline_where_the_key_is_shown(browser: Client) -> None:
    (main,) = re.findall(r'<div class="pg-page">.*', browser.post(f"{KEYS}add/", FORM).content.decode(), re.DOTALL)
    page = main.partition("<footer")[0]
    assert 'data-copy="api-key"' in page
    assert not re.findall(r"<script(?![^>]*src=)|onclick|style=", page.partition("</a>")[0])


def test_feeds_are_chosen_among_those_with_members_and_what_a_key_names_stays_a_choice(browser: Client) -> None:
    def choices(page: str) -> list[str]:
        return re.findall(r'name="feeds" value="([^"]*)"', browser.get(page).content.decode())

    assert choices(f"{KEYS}add/") == ["a-mpls", "cl-tqsp"]
    assert browser.post(f"{KEYS}add/", {**FORM, "feeds": ["whats-hot"]}).status_code == 200
    assert not ApiKey.objects.exists()
    key = keys.mint()
    add_key(key, scopes=["members"], feeds=["a-gone"])
    assert choices(f"{page_of(key)}change/") == ["a-mpls", "cl-tqsp", "a-gone"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"feeds": []}, "Choose at least one feed whose members the key can change."),
        (
            {"scopes": ["stats"]},
            "Only a key with this scope can cover feeds: change and list members of the feeds it covers.",
        ),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["launch"]}, "Select a valid choice."),
        ({"rate_limit": "0"}, "greater than or equal to 1"),
    ],
)
def test_the_form_says_what_is_wrong(browser: Client, fields: dict[str, Any], sentence: str) -> None:
    assert sentence in browser.post(f"{KEYS}add/", {**FORM, **fields}).content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_for_every_label_names_no_feed(browser: Client) -> None:
    assert "Change and list the members of any label" in browser.get(f"{KEYS}add/").content.decode()
    text = shown_secret(browser.post(f"{KEYS}add/", {**FORM, "scopes": ["labels"], "feeds": []}).content.decode())
    assert check(text) == principal(Scope.LABELS)


def test_rights_of_a_key_are_changed(browser: Client, reader_key: Key) -> None:
    response = browser.post(f"{page_of(reader_key)}change/", {**FORM, "scopes": ["labels", "stats"], "feeds": []})
    assert response.status_code == 302
    assert check(reader_key.text) == principal(Scope.LABELS, Scope.STATS)


def test_scopes_that_open_nothing_are_not_offered_and_a_key_that_has_one_keeps_it(browser: Client) -> None:
    def offered(page: str) -> list[str]:
        return re.findall(r'name="scopes"[^>]*value="(\w+)"', browser.get(page).content.decode())

    assert sorted(offered(f"{KEYS}add/")) == ["labels", "members", "search", "stats", "tools"]
    assert "Select a valid choice." in browser.post(f"{KEYS}add/", {**FORM, "scopes": ["cleanup"]}).content.decode()
    key = keys.mint()
    add_key(key, scopes=["cleanup", "stats"])
    page = f"{page_of(key)}change/"
    assert sorted(offered(page)) == ["cleanup", "labels", "members", "search", "stats", "tools"]
    assert browser.post(page, {**FORM, "scopes": ["cleanup", "labels"], "feeds": []}).status_code == 302
    assert check(key.text) == principal(Scope.CLEANUP, Scope.LABELS)


def test_a_key_gets_another_secret_that_is_shown_once(browser: Client, reader_key: Key) -> None:
    page = f"{page_of(reader_key)}rotate/"
    (version,) = re.findall(r'name="version" value="(\d+)"', browser.get(page).content.decode())
    response = browser.post(page, {"overlap": "3600", "version": version})
    assert "no-store" in response["Cache-Control"]
    text = shown_secret(response.content.decode())
    assert text != reader_key.text
    assert check(text) == check(reader_key.text) == principal(Scope.STATS)
    assert "the old secret works until" in browser.get(KEYS).content.decode()
    assert browser.get(f"{page_of(reader_key)}change/").context["ends_old_at"] == ApiKey.objects.get().old_valid_until
    assert text not in browser.get(f"{page_of(reader_key)}change/").content.decode()

    again = browser.post(page, {"overlap": "0", "version": version}, follow=True).content.decode()
    assert "Nothing was changed: this key was changed after you opened the form" in again
    assert check(reader_key.text) == principal(Scope.STATS)

    ended = browser.post(f"{page_of(reader_key)}end-old-secret/", follow=True)
    assert "The old secret is refused from now on." in ended.content.decode()
    assert refusal(reader_key.text) == "this API key is not known"
    assert browser.get(f"{page_of(reader_key)}change/").context["ends_old_at"] is None
    assert check(text) == principal(Scope.STATS)


@pytest.mark.parametrize("fields", [{"overlap": "5"}, {"overlap": ""}, {"version": "x"}])
def test_a_rotation_takes_only_what_its_form_offers(browser: Client, reader_key: Key, fields: dict[str, str]) -> None:
    sent = {"overlap": "0", "version": str(ApiKey.objects.get().time_us), **fields}
    assert browser.post(f"{page_of(reader_key)}rotate/", sent).status_code == 200
    assert check(reader_key.text) == principal(Scope.STATS)


def test_a_key_is_revoked_for_good_and_never_deleted(browser: Client, reader_key: Key) -> None:
    page = page_of(reader_key)
    assert "Revoke permanently" in browser.get(f"{page}revoke/").content.decode()
    assert check(reader_key.text) == principal(Scope.STATS)
    said = browser.post(f"{page}revoke/", follow=True).content.decode()
    assert "Revoked: every service refuses it from now on." in said
    assert refusal(reader_key.text) == "this API key was revoked"
    browser.post(f"{page}change/", {**FORM, "revoked_at_0": "", "revoked_at_1": ""})
    browser.post(f"{page}rotate/", {"overlap": "0", "version": str(ApiKey.objects.get().time_us)})
    assert refusal(reader_key.text) == "this API key was revoked"
    assert browser.post(f"{page}delete/", {"post": "yes"}).status_code == 403


def test_every_change_of_a_key_names_the_admin(browser: Client) -> None:
    second = browser_of("berta")
    browser.post(f"{KEYS}add/", FORM)
    row = ApiKey.objects.get()
    second.post(f"{KEYS}{row.pk}/change/", {**FORM, "note": "robot"})
    version = ApiKey.objects.get().time_us
    browser.post(f"{KEYS}{row.pk}/rotate/", {"overlap": "3600", "version": str(version)})
    second.post(f"{KEYS}{row.pk}/end-old-secret/")
    browser.post(KEYS, {"action": "revoke", "_selected_action": [row.pk]})
    entries = ApiKey.history.order_by("history_id").values_list("history_user__username", flat=True)
    assert list(entries) == ["admin", "berta", "admin", "berta", "admin"]


def test_the_list_of_uses_names_each_key_by_its_note(browser: Client, reader_key: Key) -> None:
    moment = timezone.now()
    for key_id in (reader_key.id, "unknown"):
        usage.count(key_id, now=moment)
    usage.flush(now=moment)
    rows = browser.get("/admin/apikeys/apikeyusage/").content.decode()
    notes = re.findall(r'<td class="field-key_note[^>]*>\s*(.*?)\s*</td>', rows, re.DOTALL)
    assert sorted(notes) == ["", ApiKey.objects.get(key_id=reader_key.id).note]


def test_keys_are_revoked_together_from_the_list(browser: Client, reader_key: Key, moderator_key: Key) -> None:
    chosen = [str(pk) for pk in ApiKey.objects.values_list("pk", flat=True)]
    said = browser.post(KEYS, {"action": "revoke", "_selected_action": chosen}, follow=True)
    assert "2 revoked: every service refuses them from now on." in said.content.decode()
    assert {refusal(key.text) for key in (reader_key, moderator_key)} == {"this API key was revoked"}


def test_a_form_that_was_open_when_the_key_was_revoked_never_brings_it_back(browser: Client, reader_key: Key) -> None:
    page = f"{page_of(reader_key)}change/"
    sent = {**FORM, "seen_change": seen(browser, page)}
    browser.post(f"{page_of(reader_key)}revoke/")
    told = browser.post(page, sent, follow=True)
    assert told.redirect_chain == [(page, 302)]
    content = told.content.decode()
    assert "This key was revoked. That is final" in content
    assert '<span class="at-state at-act">revoked</span>' in content
    assert 'name="note"' not in content
    assert "_save" not in content
    for version in ApiKey.history.values_list("pk", flat=True):
        assert browser.get(f"{page_of(reader_key)}history/{version}/").status_code == 200
    assert ApiKey.objects.get().note == "a dashboard"
    assert refusal(reader_key.text) == "this API key was revoked"


def seen(browser: Client, page: str) -> str:
    return seen_in(browser.get(page).content.decode())


def seen_in(content: str) -> str:
    (value,) = re.findall(r'name="seen_change" value="([^"]*)"', content)
    return str(value)


def test_of_two_who_edit_a_key_the_second_is_told_what_the_first_changed(browser: Client, reader_key: Key) -> None:
    page, second = f"{page_of(reader_key)}change/", browser_of("berta")
    stats = {**FORM, "scopes": ["stats"], "feeds": []}
    opened = {"first": seen(browser, page), "second": seen(second, page)}
    assert browser.post(page, {**stats, "note": "of Anna", "seen_change": opened["first"]}).status_code == 302
    told = second.post(page, {**stats, "note": "of Berta", "rate_limit": "7", "seen_change": opened["second"]})
    content = told.content.decode()
    assert told.status_code == 200
    assert re.search(r"admin changed this at [\d:]+ UTC, after you opened it: ", content)
    assert "note: “a dashboard” → “of Anna”" in content
    assert "rate limit: “600” → “60”" in content
    assert "of Berta" in content  # what was typed is not lost
    assert (ApiKey.objects.get().note, ApiKey.objects.get().rate_limit) == ("of Anna", 60)
    answer = second.post(page, {**stats, "note": "of Berta", "rate_limit": "7", "seen_change": seen_in(content)})
    assert answer.status_code == 302
    assert (ApiKey.objects.get().note, ApiKey.objects.get().rate_limit) == ("of Berta", 7)


def test_of_two_who_save_at_once_exactly_one_is_told(browser: Client, reader_key: Key) -> None:
    page, ready = f"{page_of(reader_key)}change/", threading.Barrier(2)
    people = {"anna": browser_of("anna"), "berta": browser_of("berta")}
    sent = {**FORM, "scopes": ["stats"], "feeds": [], "seen_change": seen(browser, page)}
    answers: dict[str, int] = {}

    def save(name: str) -> None:
        ready.wait(10)
        answers[name] = people[name].post(page, {**sent, "note": name}).status_code

    threads = [threading.Thread(target=save, args=(name,)) for name in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers.values()) == [200, 302]
    assert answers[ApiKey.objects.get().note] == 302


def test_the_page_and_the_list_show_the_use(browser: Client, reader_key: Key) -> None:
    page = f"{page_of(reader_key)}change/"
    content = browser.get(page).content.decode()
    assert "not in the last 30 days" in content
    assert "Accepted calls in the last 30 days: <strong>0</strong>" in content
    for _ in range(3):
        check(reader_key.text)
    usage.flush(now=timezone.now())
    check(reader_key.text)
    content = browser.get(page).content.decode()
    today = f"{timezone.now():%Y-%m-%d}"
    assert re.search(rf'id="last-used">{today} \d\d:\d\d<', content)
    assert "Accepted calls in the last 30 days: <strong>4</strong>" in content
    assert content.count("<rect") == 1
    assert re.search(rf">{today} \d\d:\d\d</td>.*>4</td>", browser.get(KEYS).content.decode(), re.DOTALL)


def test_with_clickhouse_away_keys_are_shown_and_changed_all_the_same(browser: Client, reader_key: Key) -> None:
    page = f"{page_of(reader_key)}change/"
    with clickhouse_away():
        assert "unknown: ClickHouse does not answer" in browser.get(page).content.decode()
        assert "unknown: ClickHouse does not answer" in browser.get(KEYS).content.decode()
        answer = browser.post(page, {**FORM, "scopes": ["stats"], "feeds": []}, follow=True).content.decode()
    assert "ClickHouse does not answer" in answer
    assert ApiKey.objects.get().note == "bot"


def test_who_may_only_look_changes_nothing(reader_key: Key) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client = Client()
    client.force_login(viewer)
    page = page_of(reader_key)
    content = client.get(f"{page}change/").content.decode()
    assert re.search(r">\s*stats\s*</div>", content)
    version = ApiKey.history.get().pk
    assert client.get(f"{page}history/{version}/").status_code == 200
    assert "rotate/" not in content
    assert "revoke/" not in content
    for name in ("rotate", "revoke", "end-old-secret"):
        assert client.post(f"{page}{name}/", {"overlap": "0", "version": "1"}).status_code == 403
        assert Client().post(f"{page}{name}/").headers["Location"].startswith("/admin/login/")
    assert check(reader_key.text) == principal(Scope.STATS)
