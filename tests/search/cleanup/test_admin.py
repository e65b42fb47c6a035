"""Clean-up jobs in the admin, through HTTP."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from django.utils.http import urlencode

from atsite.core.atproto.syntax import Did
from atsite.core.jobs.lease import claim
from atsite.core.pds import Session
from search.cleanup.access import sessions
from search.cleanup.models import CleanupAudit, CleanupBatch, Kind, RepoCleanupJob
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


def words(text: str) -> str:
    """The words of a page, each followed by one space."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_a_job_has_a_page_with_its_batches(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.FAILED, records_planned=400, records_deleted=180, reason="<b>the PDS was away</b>")
    begun = {"job": row, "records": 200, "began_at": ago()}
    CleanupBatch.objects.create(number=1, records_deleted=180, records_gone=20, ended_at=ago(), **begun)
    CleanupBatch.objects.create(number=2, error="InvalidSwap <i>\u202e", **begun)
    CleanupBatch.objects.create(job=row, number=3, records=7)
    text = page(login("viewers"), f"{JOBS}{row.pk}/change/")
    assert "2 of 3 begun" in words(text)
    assert "All batches together: 180 deleted, 20 already gone. 1 with an error as the last answer." in words(text)
    assert "InvalidSwap &lt;i&gt;" in text
    assert "&lt;b&gt;the PDS was away" in text
    assert 'name="_save"' not in text
    assert "Try again …" not in text
    assert "Try again …" in page(login("operators"), f"{JOBS}{row.pk}/change/")


def test_the_page_says_what_the_engine_stored(login: Callable[..., Client]) -> None:
    until = datetime(2026, 5, 3, 10, 14, tzinfo=UTC)
    done = job(ALICE, State.COMPLETED, permitted=True, records_planned=20, records_deleted=9, records_gone=8,
               records_kept=3, report={"left": {"changed": 3}, "text": "Of the plan, 3 were changed."},
               backup="x.car.age", backup_until=until, confirmed_at=until, handle="alice.test",
               stage="deleting")  # fmt: skip
    text = words(page(login("viewers"), f"{JOBS}{done.pk}/change/"))
    for said in (
        "Handle at the sign-in @alice.test", "Kind clean-up", "Stage deleting", "Goes on", "Result Of the plan, 3 were",
        "May delete yes, once its owner has confirmed the plan", "Confirmed 2026-05-03 10:14 UTC",
        "Backup kept until 2026-05-03 10:14 UTC", "planned 20 deleted 9 already gone 8 kept after all 3 remaining 0",
    ):  # fmt: skip
        assert said in text, said


PLAN = {
    "deletes": 1200, "gates": 4, "records": 12_345, "uncounted": 7, "hours": 3, "oldest": "2019-03-04T05:06:07Z",
    "newest": None, "going_by_type": {"like": 1100, "post_with_media": 96, "hologram": 1},
    "kept_by_reason": {"pinned": 1, "text": 2, "a later reason": 5},
    "going_examples": {"like": [f"at://{ALICE}/app.bsky.feed.like/3ktheexample2"]},
    "kept_examples": {"pinned": [f"at://{ALICE}/app.bsky.feed.post/3ktheexample3"]},
}  # fmt: skip


def test_a_plan_is_shown_in_numbers_and_sentences(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.PLANNED, plan=PLAN, records_planned=1200)
    text = words(page(login("viewers"), f"{JOBS}{row.pk}/change/"))
    assert (
        "Records read 12,345 To be deleted 1,200 Gates among them 4 Kept because a count is missing 7"
        " The oldest 2019-03-04 The newest – Hours at most 3"
    ) in text
    assert "Like 1,100 Post with media 96 Another 1" in text
    assert "Another 5 It contains a text that you want to keep. 2 It is your pinned post. 1" in text
    assert "Plan Numbers only" not in words(page(login("operators"), f"{JOBS}{job(BOB).pk}/change/"))


def test_no_page_of_a_job_shows_a_secret_a_text_or_a_record(login: Callable[..., Client]) -> None:
    rules = {"keep_texts": ["the text that I keep"], "keep_uris": [f"at://{ALICE}/app.bsky.feed.post/3ktheexample1"]}
    row = job(ALICE, State.FAILED, plan=PLAN, plan_digest="d1" * 32, token_hash="c0ffee" * 10, rules=rules,
              permitted=True, backup="secret-name.car.age")  # fmt: skip
    items = [["app.bsky.feed.post/3ktheexample4", "bafyreitheexample"]]
    CleanupBatch.objects.create(job=row, number=1, records=1, items=items, outcome=".", began_at=ago())
    sessions.store(
        Session(did=Did(ALICE), handle="a.test", access_token="the-access", refresh_token="the-refresh"),
        "http://127.0.0.1:1", expires_at=timezone.now() + timedelta(hours=1), job=row,
    )  # fmt: skip
    browser = login("superuser")
    version = row.history.first().history_id
    pages = ["", f"{row.pk}/change/", f"{row.pk}/history/", f"{row.pk}/history/{version}/", f"{row.pk}/cancel/"]
    text = "".join(page(browser, JOBS + each) for each in [*pages, f"{row.pk}/retry/", "pause/"])
    hidden = ("the text that", "theexample", "d1d1", "c0ffee", "the-access", "the-refresh", "secret-name")
    assert {word for word in hidden if word in text} == set()
    assert "Its sign-in was deleted" not in text


def test_an_undo_is_told_apart_and_linked_with_the_clean_up_that_it_undoes(login: Callable[..., Client]) -> None:
    done = job(ALICE, State.CANCELLED, records_planned=9, records_deleted=9)
    undo = job(ALICE, State.RUNNING, kind=Kind.UNDO, undoes=done, records_planned=9, records_deleted=4, records_gone=1)
    CleanupBatch.objects.create(job=undo, number=1, records=9, records_deleted=4, records_gone=1, began_at=ago())
    browser = login("viewers")
    assert re.findall(r'at-state [\w-]+">([^<]+)', page(browser)) == ["running", "undo", "cancelled"]
    assert re.findall(r'at-state [\w-]+">([^<]+)', page(browser, f"{JOBS}?kind__exact=delete")) == ["cancelled"]
    of_undo = page(browser, f"{JOBS}{undo.pk}/change/")
    assert f'href="{JOBS}{done.pk}/change/">{done.job_id}</a> (cancelled)' in of_undo
    assert "created again 4 were there already 1" in words(of_undo)
    assert "4 created again, 1 were there already." in words(of_undo)
    of_done = page(browser, f"{JOBS}{done.pk}/change/")
    assert f'undone by <a class="at-link at-mono" href="{JOBS}{undo.pk}/change/">{undo.job_id}</a> (running)' in of_done


def test_jobs_are_found_by_handle_profile_did_and_id(login: Callable[..., Client]) -> None:
    mine = job(ALICE, handle="alice.test")
    job(BOB, handle="bob.test")
    browser = login("viewers")
    for term in (
        "@alice.test",
        "https://bsky.app/profile/alice.test",
        f"https://bsky.app/profile/{ALICE}",
        mine.job_id,
    ):
        text = page(browser, f"{JOBS}?{urlencode({'q': term})}")
        assert (ALICE in text, BOB in text) == (True, False), term


def test_an_operator_cancels_a_job_after_a_question(login: Callable[..., Client]) -> None:
    row = job(ALICE, State.RUNNING)
    browser = login("operators")
    assert "Cancel this clean-up?" in page(browser, f"{JOBS}{row.pk}/cancel/")
    assert RepoCleanupJob.objects.get().current_state is State.RUNNING
    response = browser.post(f"{JOBS}{row.pk}/cancel/", follow=True)
    assert response.redirect_chain == [(f"{JOBS}{row.pk}/change/", 302)]
    row.refresh_from_db()
    assert (row.state, row.reason) == ("cancelled", "cancelled by operators")
    assert list(CleanupAudit.objects.values_list("job_id", "did", "action", "by", "address_hash")) == [
        (row.job_id, ALICE, "cancelled", "operators", "")
    ]
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
    assert list(CleanupAudit.objects.values_list("job_id", "action", "by")) == [
        (row.job_id, "tried again", "operators")
    ]


@pytest.mark.parametrize(("permitted", "said"), [(True, True), (False, False)])
def test_a_retry_says_that_the_owner_has_to_sign_in_where_that_is_so(
    permitted: bool, said: bool, login: Callable[..., Client]
) -> None:
    row = job(ALICE, State.FAILED, permitted=permitted)
    browser = login("operators")
    sentence = "the owner of the account has to sign in again before anything is deleted"
    for address in ("change", "retry"):
        assert (sentence in words(page(browser, f"{JOBS}{row.pk}/{address}/"))) is said


def test_many_are_cancelled_at_once_and_those_that_cannot_be_are_named(login: Callable[..., Client]) -> None:
    rows = [
        job(ALICE, State.RUNNING),
        job(BOB, State.WAITING),
        job("did:plc:noelnoelnoelnoelnoelnoel", State.COMPLETED),
    ]
    form = {"action": "cancel", "_selected_action": [str(row.pk) for row in rows]}
    text = login("operators").post(JOBS, form, follow=True).content.decode()
    assert "2 cancelled." in text
    assert "did:plc:noelnoelnoelnoelnoelnoel: a job that is completed cannot become cancelled" in text
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
