"""The page for people through HTTP, with plain forms as a browser without scripts sends them."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from search.cleanup.models import PdsSession, RepoCleanupJob
from search.cleanup.states import State
from search.cleanup.web.page.job_page import named
from tests.search.cleanup.web.test_api import DIGEST, Owner
from tests.search.service import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.search.cleanup.pds_server import Account, PdsServer
    from tests.search.service import Service

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

FORM = re.compile(r'<form method="post"\s+action="([^"]+)".*?name="csrfmiddlewaretoken" value="(\w+)"', re.DOTALL)
CHOSEN = {"types": ["like", "post"], "days": "30", "keep_pinned": "on", "keep_self_liked": "on", "purpose": "delete"}


class Visitor:
    """A browser without scripts: cookies, forms and their hidden fields."""

    def __init__(self, service: Service) -> None:
        self.client = httpx.Client(base_url=service.client.base_url, trust_env=False, timeout=60)
        self.page = self.client.get("/cleanup/")

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.page.text))

    @property
    def path(self) -> str:
        return self.page.url.path

    def open(self, path: str) -> None:
        self.page = self.client.get(path, follow_redirects=True)

    def send(self, action: str, /, **fields: object) -> None:
        """Send the form of the page that goes to this address."""
        forms = re.findall(
            r'<form method="post"\s+action="([^"]+)".*?name="csrfmiddlewaretoken" value="(\w+)"', self.page.text, re.S
        )
        (target, token) = next((target, token) for target, token in forms if target.endswith(f"/{action}/"))
        hidden = dict(re.findall(r'<input type="hidden"\s+name="(plan_digest)"\s+value="(\w+)"', self.page.text))
        self.page = self.client.post(
            target, data={"csrfmiddlewaretoken": token, **hidden, **fields}, follow_redirects=True
        )

    def sign_in(self, account: Account) -> None:
        self.send("sign-in", identifier=f"@{account.handle}", app_password=account.app_password)


@pytest.fixture
def visitor(service: Service) -> Iterator[Visitor]:
    Session.objects.all().delete()
    visitor = Visitor(service)
    with closing(visitor.client):
        yield visitor


@pytest.fixture
def other(service: Service) -> Iterator[Visitor]:
    """Another browser."""
    visitor = Visitor(service)
    with closing(visitor.client):
        yield visitor


def planned() -> Owner:
    """The newest clean-up, planned as the engine plans it."""
    row = RepoCleanupJob.objects.get(state="planning")
    owner = Owner(None, row.job_id, "")  # type: ignore[arg-type]  # only its row is used
    owner.plan()
    return owner


def test_an_owner_goes_from_signing_in_to_the_undo_without_a_script(visitor: Visitor, mira: Account) -> None:
    visitor.sign_in(mira)
    assert (visitor.path, visitor.page.status_code) == ("/cleanup/choose/", 200)
    visitor.send("choose", **CHOSEN)
    assert "Reading your repo" in visitor.text
    assert '<meta http-equiv="refresh"' in visitor.page.text
    owner = planned()
    assert owner.row.rules["types"] == ["like", "post"]
    assert owner.row.permitted
    visitor.open("/cleanup/")
    assert "3 records of 9 will be deleted after you confirm, 1 of them" in visitor.text
    assert "Likes: 2" in visitor.text
    assert "It is not older than the cut-off: 6" in visitor.text
    visitor.send("confirm", handle="noel.test")
    assert (visitor.page.status_code, "Type mira.test to confirm." in visitor.text) == (400, True)
    assert owner.row.state == "planned"
    visitor.send("confirm", handle="@Mira.test")
    assert "deleting begins in at most ten minutes" in visitor.text
    assert owner.row.state == State.WAITING
    visitor.send("cancel")
    assert owner.row.state == State.CANCELLED
    assert "Cancelled" in visitor.text
    owner.end(b"a CAR file")
    visitor.open(visitor.path)
    assert visitor.client.get(f"{visitor.path}backup/").content == b"a CAR file"
    visitor.send("undo", app_password=mira.app_password)
    undo = RepoCleanupJob.objects.get(kind="undo")
    assert visitor.path == f"/cleanup/{undo.job_id}/"
    assert (undo.requested_by, undo.undoes) == ("the page", owner.row)
    visitor.send("cancel")
    visitor.open(f"/cleanup/{owner.job_id}/")
    visitor.send("delete")
    assert owner.row.backup == ""
    visitor.open("/cleanup/")
    visitor.send("sign-out")
    assert "Sign in" in visitor.text
    assert not Session.objects.exists()


def test_the_session_of_the_page_is_short_strict_and_holds_no_secret(visitor: Visitor, mira: Account) -> None:
    visitor.client.cookies.clear()
    visitor.open("/cleanup/")
    token = visitor.client.cookies["cleanup_csrf"]
    fields = {"csrfmiddlewaretoken": token, "identifier": mira.handle, "app_password": mira.app_password}
    answer = visitor.client.post("/cleanup/sign-in/", data=fields)
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("cleanup=")]
    assert {"HttpOnly", "SameSite=Strict", "Max-Age=1800", "Path=/"} <= set(cookie.split("; "))
    row = Session.objects.get()
    assert row.expire_date <= timezone.now() + timedelta(minutes=30)
    assert row.get_decoded() == {
        "cleanup": {"did": mira.did, "handle": mira.handle, "session": PdsSession.objects.get().pk},
        "_session_expiry": 1800,
    }
    assert PdsSession.objects.get().expires_at <= timezone.now() + timedelta(minutes=30)


def test_every_answer_has_its_policy_and_is_kept_by_no_cache(visitor: Visitor, mira: Account) -> None:
    visitor.sign_in(mira)
    for path in ("/cleanup/", "/cleanup/choose/", "/cleanup/files/cleanup.css", "/cleanup/nothing/"):
        answer = visitor.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert not [name for name in answer.headers if name.startswith("access-control")]
    policy = visitor.client.get("/cleanup/choose/").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|\son\w+=|style=", visitor.page.text)


def test_a_form_of_another_site_is_refused(visitor: Visitor, mira: Account) -> None:
    visitor.sign_in(mira)
    fields = {**CHOSEN, "csrfmiddlewaretoken": "x" * 64}
    answers = [
        visitor.client.post("/cleanup/choose/", data=CHOSEN),
        visitor.client.post("/cleanup/choose/", data=fields),
        visitor.client.post("/cleanup/sign-out/", data={}),
    ]
    token = visitor.client.cookies["cleanup_csrf"]
    evil = {"Origin": "http://evil.example"}
    answers.append(visitor.client.post("/cleanup/choose/", data={**fields, "csrfmiddlewaretoken": token}, headers=evil))
    assert [(answer.status_code, "too old" in answer.text) for answer in answers] == [(403, True)] * 4
    assert not RepoCleanupJob.objects.exists()


def test_the_clean_ups_of_another_account_are_not_there(
    visitor: Visitor, other: Visitor, mira: Account, pds: PdsServer
) -> None:
    visitor.sign_in(mira)
    visitor.send("choose", **CHOSEN)
    owner = planned()
    other.sign_in(pds.account("noel"))
    token = other.client.cookies["cleanup_csrf"]
    answer = other.client.get(f"/cleanup/{owner.job_id}/")
    assert (answer.status_code, "another account" in answer.text) == (404, True)
    assert other.client.get(f"/cleanup/{owner.job_id}/backup/").status_code == 404
    for what in ("confirm", "cancel", "sign-in", "undo", "backup/delete"):
        form = {"csrfmiddlewaretoken": token, "handle": "mira.test", "plan_digest": DIGEST}
        assert other.client.post(f"/cleanup/{owner.job_id}/{what}/", data=form).status_code == 404
    assert owner.row.state == State.PLANNED


def test_a_stranger_is_led_to_the_sign_in(visitor: Visitor) -> None:
    for path in ("/cleanup/choose/", "/cleanup/3mezc5ufk2s2x/", "/cleanup/3mezc5ufk2s2x/backup/"):
        visitor.open(path)
        assert visitor.path == "/cleanup/"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"types": []}, "Choose at least one."),
        ({"days": ""}, "Enter a number of days or a date."),
        ({"before": "2026-01-01"}, "Give either a number of days or a date, not both."),
        ({"days": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"keep_domains": "https://example.com"}, "is not a domain, such as example.com."),
        ({"keep_uris": "me"}, "is not the at-uri of a record"),
        ({"purpose": "x"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_in_a_form_is_said_beside_it(
    visitor: Visitor, mira: Account, fields: dict[str, object], problem: str
) -> None:
    visitor.sign_in(mira)
    visitor.send("choose", **{**CHOSEN, **fields})
    assert (visitor.page.status_code, problem in visitor.text) == (400, True)
    assert not RepoCleanupJob.objects.exists()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"identifier": "mira@mail.test"}, "not your e-mail address"),
        ({"app_password": "correct horse"}, "That is not an app password"),
        ({"app_password": "aaaa-aaaa-aaaa-aaaa"}, "does not accept this app password"),
        ({"identifier": "<b>"}, "Give your handle or did"),
        ({"identifier": ""}, "Enter your handle."),
    ],
)
def test_a_sign_in_that_fails_says_why_and_does_not_repeat_the_password(
    visitor: Visitor, mira: Account, fields: dict[str, str], problem: str
) -> None:
    given = {"identifier": mira.handle, "app_password": mira.app_password, **fields}
    visitor.send("sign-in", **given)
    assert visitor.page.status_code in (400, 401)
    assert problem in visitor.text
    assert given["app_password"] not in visitor.page.text
    assert "<b>&" not in visitor.page.text
    assert not Session.objects.exists()


def test_a_second_sign_in_and_a_sign_out_end_the_session_that_was_not_used(
    visitor: Visitor, mira: Account, pds: PdsServer
) -> None:
    visitor.sign_in(mira)
    before = visitor.client.cookies["cleanup"]
    visitor.page = visitor.client.get("/cleanup/choose/")
    visitor.send("sign-out")
    assert (pds.sessions, PdsSession.objects.count()) == (0, 0)
    visitor.sign_in(mira)
    assert visitor.client.cookies["cleanup"] != before


def test_a_plan_that_only_shows_offers_no_delete_and_a_new_one_asks_for_the_password(
    visitor: Visitor, mira: Account
) -> None:
    visitor.sign_in(mira)
    visitor.send("choose", **{**CHOSEN, "purpose": "show"})
    planned()
    visitor.open("/cleanup/")
    assert "would be deleted" in visitor.text
    assert "/confirm/" not in visitor.page.text
    visitor.open("/cleanup/choose/")
    visitor.send("choose", **CHOSEN)
    assert (visitor.page.status_code, "Enter an app password." in visitor.text) == (400, True)
    visitor.send("choose", **CHOSEN, app_password=mira.app_password)
    assert RepoCleanupJob.objects.get(state="planning").permitted


def test_a_person_who_signed_in_goes_on_with_a_clean_up_that_waits_for_it(visitor: Visitor, mira: Account) -> None:
    visitor.sign_in(mira)
    visitor.send("choose", **CHOSEN)
    owner = planned()
    now = timezone.now()
    owner.change(state=State.NEEDS_SIGN_IN, confirmed_at=now, started_at=now)
    PdsSession.objects.all().delete()
    visitor.open("/cleanup/")
    visitor.send("sign-out")
    visitor.sign_in(mira)
    assert "Please sign in again" in visitor.text
    visitor.send("sign-in")
    assert owner.row.state == State.WAITING
    assert PdsSession.objects.get().job == owner.row


@pytest.fixture
def elsewhere(django_db_setup: None, clickhouse: None, pds: PdsServer) -> Iterator[Service]:
    yield from running(CLEANUP_HOST="clean.example", PLC_URL=pds.url, HANDLE_RESOLVER_URL=pds.url)


def test_the_page_has_a_host_of_its_own_where_one_is_set(elsewhere: Service) -> None:
    assert elsewhere.client.get("/cleanup/").status_code == 404
    own = elsewhere.client.get("/cleanup/", headers={"Host": "Clean.example:8092"})
    assert (own.status_code, "Sign in" in own.text) == (200, True)
    assert elsewhere.client.get("/repo/cleanup/stats").status_code == 200


def test_search_and_api_have_no_sessions(service: Service) -> None:
    for path in ("/stats?days=1", "/xrpc/_health", "/repo/cleanup/stats", "/docs"):
        assert "set-cookie" not in service.client.get(path).headers


@pytest.mark.parametrize(
    ("collection", "rkey", "expected"),
    [
        ("app.bsky.feed.post", "3kmn7hqmxoo2r", "post of 2024-03-01"),
        ("app.bsky.feed.like", "3kmn7hqmxoo2r", "like of 2024-03-01"),
        ("app.bsky.feed.threadgate", "3kmn7hqmxoo2r", "reply settings of 2024-03-01"),
        ("app.bsky.feed.post", "pinned", ""),
        ("app.bsky.actor.profile", "3kmn7hqmxoo2r", ""),
    ],
)
def test_examples_are_named_by_kind_and_date(collection: str, rkey: str, expected: str) -> None:
    assert named(collection, rkey) == expected
