"""API keys in the admin: shown once, changed, revoked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from apikeys import usage
from apikeys.check import check
from apikeys.models import ApiKey
from atsite.auth import Kind, Principal, Scope
from atsite.xrpc import XrpcError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.test import Client

    from apikeys.keys import Key

KEYS = "/admin/apikeys/apikey/"
FORM = {"note": "bot", "scopes": ["labels"], "feeds": "a-mpls, cl-tqsp", "rate_limit": "60"}

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


def principal(*scopes: Scope, feeds: Sequence[str] = ()) -> Principal:
    """What the one key that there is opens."""
    return Principal(Kind.KEY, ApiKey.objects.get().key_id, frozenset(scopes), frozenset(feeds))


@pytest.fixture
def browser(stores: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_a_new_key_is_shown_in_one_answer_and_nowhere_else(browser: Client) -> None:
    response = browser.post(f"{KEYS}add/", FORM)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    (text,) = re.findall(r'<code id="api-key">(\S+)</code>', response.content.decode())
    assert check(text) == principal(Scope.LABELS, feeds=["a-mpls", "cl-tqsp"])
    row = ApiKey.objects.get()
    secret = text.rpartition(row.key_id)[2]
    for page in (KEYS, f"{KEYS}{row.pk}/change/", f"{KEYS}{row.pk}/history/"):
        content = browser.get(page).content.decode()
        assert row.key_id in content
        assert secret not in content
        assert row.secret_hash not in content
    assert all(text not in morsel.value for morsel in browser.cookies.values())


def test_rights_of_a_key_are_changed(browser: Client, reader_key: Key) -> None:
    row = ApiKey.objects.get()
    response = browser.post(f"{KEYS}{row.pk}/change/", {**FORM, "scopes": ["search", "stats"], "feeds": ""})
    assert response.status_code == 302
    assert check(reader_key.text) == principal(Scope.SEARCH, Scope.STATS)


def test_a_key_is_revoked_for_good_and_never_deleted(browser: Client, reader_key: Key) -> None:
    row = ApiKey.objects.get()
    browser.post(KEYS, {"action": "revoke", "_selected_action": [str(row.pk)]})
    with pytest.raises(XrpcError, match="revoked"):
        check(reader_key.text)
    browser.post(f"{KEYS}{row.pk}/change/", {**FORM, "revoked_at_0": "", "revoked_at_1": ""})
    with pytest.raises(XrpcError, match="revoked"):
        check(reader_key.text)
    assert browser.post(f"{KEYS}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_form_shows_the_last_use(browser: Client, reader_key: Key) -> None:
    page = f"{KEYS}{ApiKey.objects.get().pk}/change/"
    assert "never" in browser.get(page).content.decode()
    check(reader_key.text)
    last = usage.last_used(reader_key.id, now=ApiKey.objects.get().created_at)
    assert last is not None
    (shown,) = re.findall(r"field-last_used.*?</div>\s*</div>", browser.get(page).content.decode(), re.DOTALL)
    assert str(last.year) in shown
