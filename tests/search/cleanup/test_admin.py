"""Clean-up jobs in the admin, through HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry

from atsite.core.jobs.lease import claim
from search.cleanup.models import CleanupBatch, RepoCleanupJob
from search.cleanup.states import State
from tests.admin.conftest import groups, login
from tests.builders import ALICE, BOB, ago, identity, store
from tests.search.cleanup.rows import job

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

__all__ = ["groups", "login"]

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

JOBS = "/admin/cleanup/repocleanupjob/"


def page(browser: Client, address: str = JOBS) -> str:
    response = browser.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_where_each_job_is_and_whose(login: Callable[..., Client]) -> None:
    store(identity(ALICE, "alice.example.com", at=ago(hours=1)))
    job(ALICE, State.RUNNING, records_planned=200, records_deleted=50)
    job(BOB, State.NEEDS_SIGN_IN)
    text = page(login("viewers"))
    assert "@alice.example.com" in text
    assert BOB in text
    assert re.findall(r'at-state [\w-]+">([^<]+)', text) == ["needs a new sign-in", "running"]
    assert re.findall(r'<progress class="at-progress" max="100" value="(\d+)"', text) == ["0", "25"]
    assert "150" in text
    assert ALICE not in page(login("moderators"), f"{JOBS}?state__exact=needs_sign_in")


def test_a_job_has_a_page_with_its_batches(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.FAILED, records_planned=400, records_deleted=180, reason="<b>the PDS was away</b>")
    CleanupBatch.objects.create(job=row, number=1, records=200, records_deleted=180, records_gone=20, ended_at=ago())
    CleanupBatch.objects.create(job=row, number=2, records=200, error="InvalidSwap <i>\u202e")
    text = page(login("viewers"), f"{JOBS}{row.pk}/change/")
    assert "All batches together: 180 deleted, 20 already" in text
    assert "InvalidSwap &lt;i&gt;" in text
    assert "&lt;b&gt;the PDS was away" in text
    assert 'name="_save"' not in text
    assert "Try again …" not in text
    assert "Try again …" in page(login("operators"), f"{JOBS}{row.pk}/change/")


def test_an_operator_cancels_a_job_after_a_question(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.RUNNING)
    browser = login("operators")
    assert "Cancel this clean-up?" in page(browser, f"{JOBS}{row.pk}/cancel/")
    assert RepoCleanupJob.objects.get().current_state is State.RUNNING
    response = browser.post(f"{JOBS}{row.pk}/cancel/", follow=True)
    assert response.redirect_chain == [(f"{JOBS}{row.pk}/change/", 302)]
    row.refresh_from_db()
    assert (row.state, row.reason) == ("cancelled", "cancelled by operators")
    newest = row.history.first()
    assert (newest.history_user.username, newest.history_change_reason) == ("operators", "cancelled by operators")
    assert LogEntry.objects.get().change_message == "cancelled"
    again = browser.post(f"{JOBS}{row.pk}/cancel/", follow=True).content.decode()
    assert "a job that is cancelled cannot become cancelled" in again


def test_an_operator_tries_a_failed_job_again(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.FAILED)
    browser = login("operators")
    assert "Try this clean-up again?" in page(browser, f"{JOBS}{row.pk}/retry/")
    browser.post(f"{JOBS}{row.pk}/retry/")
    assert RepoCleanupJob.objects.get().current_state is State.PLANNING


def test_many_are_cancelled_at_once_and_those_that_cannot_be_are_named(login: Callable[..., Client]) -> None:
    rows = [job(ALICE, State.RUNNING), job(BOB, State.WAITING), job("did:plc:noel", State.COMPLETED)]
    form = {"action": "cancel", "_selected_action": [str(row.pk) for row in rows]}
    text = login("operators").post(JOBS, form, follow=True).content.decode()
    assert "2 cancelled." in text
    assert "did:plc:noel: a job that is completed cannot become cancelled" in text
    assert sorted(RepoCleanupJob.objects.values_list("state", flat=True)) == ["cancelled", "cancelled", "completed"]


@pytest.mark.parametrize("role", ["moderators", "viewers"])
def test_who_may_only_look_cannot_cancel_or_retry(role: str, login: Callable[..., Client]) -> None:
    row = job(ALICE, State.FAILED)
    browser = login(role)
    assert [browser.post(f"{JOBS}{row.pk}/{what}/").status_code for what in ("cancel", "retry", "delete")] == [403] * 3
    browser.post(JOBS, {"action": "retry", "_selected_action": [str(row.pk)]})
    assert RepoCleanupJob.objects.get().current_state is State.FAILED
    assert browser.get(f"{JOBS}add/").status_code == 403


def test_a_job_that_is_not_there_leads_back_to_the_list(login: Callable[..., Client]) -> None:
    response = login("operators").post(f"{JOBS}999/cancel/", follow=True)
    assert response.redirect_chain == [(JOBS, 302)]
    assert "This clean-up does not exist" in response.content.decode()


def test_a_job_at_work_is_asked_to_end_and_says_so(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.RUNNING)
    assert claim(row) is not None
    browser = login("operators")
    text = browser.post(f"{JOBS}{row.pk}/cancel/", follow=True).content.decode()
    assert f"{ALICE}: running, to be cancelled." in text
    assert "Cancel …" not in text
    form = {"action": "cancel", "_selected_action": [str(row.pk)]}
    assert "1 will be cancelled after the current batch" in browser.post(JOBS, form, follow=True).content.decode()
    assert RepoCleanupJob.objects.get().current_state is State.RUNNING


@pytest.mark.parametrize("address", ["", "?state__exact=running", "7/change/", "7/cancel/", "7/history/"])
def test_the_addresses_of_before_lead_to_the_pages(address: str, login: Callable[..., Client]) -> None:
    response = login("operators").get(f"/admin/search/repocleanupjob/{address}")
    assert (response.status_code, response.headers["location"]) == (301, f"{JOBS}{address}")
