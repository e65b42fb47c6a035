"""What operators decide about all clean-ups and about accounts, and what the audit shows them, through HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.utils.http import urlencode

from search.cleanup.access import audit, sessions
from search.cleanup.models import CleanupAudit, CleanupSwitch, RefusedAccount
from search.cleanup.owner_actions import AccountRefused, NotOffered, check_offered
from search.cleanup.states import State
from tests.admin.conftest import groups, login
from tests.builders import ALICE, BOB, CAROL
from tests.labels.conftest import network
from tests.labels.people import MIRA
from tests.search.cleanup.rows import job
from tests.search.cleanup.test_admin import JOBS, page, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from tests.core.identity.network import Network

    Login = Callable[..., Client]

__all__ = ["groups", "login", "network"]

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

REFUSED = "/admin/cleanup/refusedaccount/"
AUDIT = "/admin/cleanup/cleanupaudit/"
PAUSE = f"{JOBS}pause/"


def audited() -> list[tuple[str, str, str]]:
    return list(CleanupAudit.objects.order_by("pk").values_list("did", "action", "by"))


def test_all_clean_ups_are_paused_after_a_question_and_go_on_after_another(login: Login) -> None:
    job(ALICE, State.RUNNING)
    browser = login("operators")
    assert "Pause all clean-ups …" in page(browser)
    assert "1 clean-up has not ended." in words(page(browser, PAUSE))
    browser.post(PAUSE, {"do": "something"})
    assert not CleanupSwitch.is_paused()
    text = browser.post(PAUSE, {"do": "pause"}, follow=True).content.decode()
    assert "All clean-ups are paused: those that a worker has stop after their current batch." in words(text)
    switch = CleanupSwitch.objects.get()
    assert f"All clean-ups are paused since {switch.changed_at:%Y-%m-%d %H:%M} UTC by operators" in words(text)
    with pytest.raises(NotOffered):
        check_offered(ALICE)
    assert "Let the clean-ups go on?" in page(browser, PAUSE)
    text = browser.post(PAUSE, {"do": "go on"}, follow=True).content.decode()
    assert "The clean-ups go on within two minutes." in text
    assert "are paused since" not in words(text)
    check_offered(ALICE)
    assert audited() == [("", "paused all", "operators"), ("", "let all go on", "operators")]
    log = LogEntry.objects.order_by("pk").values_list("user__username", "change_message")
    assert list(log) == [("operators", "Paused all clean-ups."), ("operators", "Let all clean-ups go on.")]


def test_who_pauses_second_changes_and_writes_down_nothing(login: Login) -> None:
    at = datetime(2026, 5, 3, 10, 14, tzinfo=UTC)
    CleanupSwitch.objects.create(paused=True, changed_by="mira", changed_at=at)
    text = login("operators").post(PAUSE, {"do": "pause"}, follow=True).content.decode()
    assert "The clean-ups were paused already." in text
    assert "paused since 2026-05-03 10:14 UTC by mira" in words(text)
    assert audited() == []
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("role", ["moderators", "viewers"])
def test_who_is_no_operator_sees_the_pause_and_cannot_change_it(role: str, login: Login) -> None:
    CleanupSwitch.objects.create(paused=True, changed_by="mira")
    browser = login(role)
    assert "by mira" in words(page(browser))
    assert "Let them go on" not in page(browser)
    assert browser.post(PAUSE, {"do": "go on"}).status_code == 403
    assert CleanupSwitch.is_paused()


def test_a_site_without_keys_says_so_on_the_list(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = login("viewers")
    assert "offers no clean-ups" not in page(browser)
    monkeypatch.setattr(sessions, "sealer", lambda: sessions._sealer(()))
    assert "This site offers no clean-ups: it has no keys" in words(page(browser))


@pytest.mark.parametrize(
    "written",
    [
        f"@{MIRA.handle}",
        MIRA.did,
        f"https://bsky.app/profile/{MIRA.handle}",
        f"https://bsky.app/profile/{MIRA.did}",
    ],
)
def test_an_account_is_refused_by_whatever_names_it(login: Login, network: Network, written: str) -> None:
    browser = login("operators")
    assert browser.post(f"{REFUSED}add/", {"did": written, "note": "asked us"}).status_code == 302
    assert list(RefusedAccount.objects.values_list("did", "note", "created_by")) == [
        (MIRA.did, "asked us", "operators")
    ]
    with pytest.raises(AccountRefused):
        check_offered(MIRA.did)
    assert "asked us" in page(browser, REFUSED)
    row = RefusedAccount.objects.get()
    browser.post(f"{REFUSED}{row.pk}/change/", {"did": BOB, "note": "asked by mail"})
    assert list(RefusedAccount.objects.values_list("did", "note")) == [(MIRA.did, "asked by mail")]
    browser.post(f"{REFUSED}{row.pk}/delete/", {"post": "yes"})
    check_offered(MIRA.did)
    log = LogEntry.objects.order_by("pk")
    assert [(each.object_repr, each.get_change_message()) for each in log] == [
        (MIRA.did, "Added."),
        (MIRA.did, "Changed Note."),
        (MIRA.did, ""),
    ]


def test_a_did_is_refused_though_its_directory_does_not_know_it(login: Login, network: Network) -> None:
    assert login("operators").post(f"{REFUSED}add/", {"did": ALICE, "note": ""}).status_code == 302
    assert RefusedAccount.objects.get().did == ALICE


@pytest.mark.parametrize(
    ("written", "sentence"),
    [("no one at all", "is not a handle, a did or a profile address"), (BOB, "already exists")],
)
def test_what_names_no_new_account_is_not_refused(login: Login, written: str, sentence: str) -> None:
    RefusedAccount.objects.create(did=BOB)
    assert sentence in login("operators").post(f"{REFUSED}add/", {"did": written, "note": ""}).content.decode()
    assert RefusedAccount.objects.count() == 1


def test_an_operator_learns_that_a_refused_account_has_a_clean_up(login: Login) -> None:
    browser = login("operators")
    row = job(ALICE, State.RUNNING)
    said = "This account has a clean-up that has not ended: it writes nothing more after its current batch."
    text = browser.post(f"{REFUSED}add/", {"did": ALICE, "note": ""}, follow=True).content.decode()
    assert said in text
    assert said not in browser.post(f"{REFUSED}add/", {"did": BOB, "note": ""}, follow=True).content.decode()
    assert "Clean-ups of this account are refused" in words(page(browser, f"{JOBS}{row.pk}/change/"))
    assert "are refused" not in words(page(browser, f"{JOBS}{job(CAROL).pk}/change/"))


@pytest.mark.parametrize("role", ["moderators", "viewers"])
def test_refused_accounts_and_the_audit_are_for_operators(role: str, login: Login) -> None:
    browser = login(role)
    assert [browser.get(address).status_code for address in (REFUSED, f"{REFUSED}add/", AUDIT)] == [403] * 3
    assert REFUSED not in page(browser)


def found(browser: Client, **query: str) -> list[str]:
    """What was done in each row of the audit that a search or a filter finds."""
    return re.findall(r"field-action[^>]*>(?:<a[^>]*>)?([^<]+)", page(browser, f"{AUDIT}?{urlencode(query)}"))


def test_the_audit_is_filtered_by_action_and_searched_by_account_and_job(login: Login) -> None:
    mine, other = job(ALICE), job(BOB)
    audit.keep(mine, "created (delete)", address="192.0.2.7")
    audit.keep(mine, "confirmed")
    audit.keep(other, "created (delete)")
    audit.keep_of_all("paused all", by="<i>mira")
    browser = login("operators")
    everything = page(browser, AUDIT)
    assert "all clean-ups" in everything
    assert "&lt;i&gt;mira" in everything
    assert f'href="{JOBS}{mine.pk}/change/">{mine.job_id}</a>' in everything
    assert found(browser) == ["paused all", "created (delete)", "confirmed", "created (delete)"]
    assert found(browser, action="confirmed") == ["confirmed"]
    assert found(browser, q=ALICE) == ["confirmed", "created (delete)"]
    assert found(browser, q=f"https://bsky.app/profile/{BOB}") == ["created (delete)"]
    assert found(browser, q=mine.job_id) == ["confirmed", "created (delete)"]
    first = CleanupAudit.objects.order_by("pk")[0]
    one = page(browser, f"{AUDIT}{first.pk}/change/")
    assert audit.address_hash("192.0.2.7") in one
    assert "192.0.2.7" not in one
    assert "_save" not in one
    assert browser.post(f"{AUDIT}{first.pk}/delete/", {"post": "yes"}).status_code == 403
