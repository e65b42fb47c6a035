"""API keys in a real browser: minted and copied, used, given another secret, revoked."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from django.apps import apps

from apikeys.check import check
from apikeys.models import ApiKey
from atsite.core.web.xrpc import XrpcError
from tests.admin.chromium import DESK, PHONE, browsing
from tests.test_services import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]


@pytest.fixture(scope="module")
def service(
    content_types: object, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with Service("admin", tmp_path_factory.mktemp("admin") / "log") as running:
        running.wait_until_up()
        yield running


@pytest.fixture(autouse=True)
def _feeds(browsed: None) -> None:
    import_module("feeds.migrations.0104_first_feeds").add(apps, None)


def refusal(text: str) -> str:
    with pytest.raises(XrpcError) as refused:
        check(text)
    return refused.value.message


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_key_is_minted_copied_rotated_and_revoked(service: Service, width: int) -> None:
    with browsing(service.port, width=width) as browser:
        page = browser.page
        browser.open("/admin/apikeys/apikey/add/")
        page.fill("[name=note]", "a script")
        page.check("[name=scopes][value=members]")
        page.check("[name=feeds][value=a-mpls]")
        browser.shot("key-add")
        page.click("[name=_save]")
        page.click("text=Copy >> nth=-1")
        page.wait_for_selector("text=Copied.")
        copied = str(page.evaluate("navigator.clipboard.readText()"))
        browser.shot("key-shown-once")
        assert copied == page.inner_text("#api-key")
        assert check(copied).feeds == {"a-mpls"}
        page.reload()  # sends the form again
        page.wait_for_selector("text=This key already exists")
        assert ApiKey.objects.count() == 1

        browser.open(f"/admin/apikeys/apikey/{ApiKey.objects.get().pk}/change/")
        assert copied not in page.content()
        browser.shot("key")
        page.click("text=New secret…")
        page.check("[name=overlap][value='3600']")
        browser.shot("key-rotate")
        page.click("text=Create a new secret")
        second = page.inner_text("#api-key")
        assert re.fullmatch(r"atsk_\w{12}_\S{43}", second)
        assert check(copied).subject == check(second).subject

        page.click("text=I have copied it")
        page.click("text=Revoke…")
        page.click("text=Revoke permanently")
        page.wait_for_selector("text=every service refuses it from now on")
        assert {refusal(copied), refusal(second)} == {"this API key was revoked"}
        browser.shot("key-revoked")
        browser.open("/admin/apikeys/apikey/")
        browser.shot("keys")
        assert browser.said == []


def test_who_opened_the_form_before_somebody_saved_it_is_told_in_the_page(service: Service) -> None:
    with browsing(service.port) as browser:
        key = ApiKey(key_id="23456789bcdf", secret_hash="0" * 64, scopes=["stats"], note="first")
        key.save()
        browser.open(f"/admin/apikeys/apikey/{key.pk}/change/")
        ApiKey.objects.filter(pk=key.pk).update(note="of someone else")
        browser.page.fill("[name=note]", "mine")
        browser.page.click("[name=_save]")
        browser.page.wait_for_selector("text=after you opened it")
        browser.shot("key-changed-meanwhile")
        assert browser.page.input_value("[name=note]") == "mine"
        assert ApiKey.objects.get().note == "of someone else"
        browser.page.click("[name=_save]")
        browser.page.wait_for_url("**/apikey/")
        assert ApiKey.objects.get().note == "mine"
