"""The API of clean-ups, through HTTP, with a PDS on a socket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from search.cleanup.access import sessions
from search.cleanup.engine import backups
from search.cleanup.models import CleanupAudit, CleanupSwitch, Kind, PdsSession, RefusedAccount, RepoCleanupJob
from search.cleanup.states import State
from tests.search.service import running

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.search.cleanup.pds_server import Account, PdsServer
    from tests.search.service import Service

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

PATH = "/repo/cleanup"
DIGEST = "d" * 64
TWICE = f'{{"plan_digest": "{DIGEST}", "plan_digest": "{DIGEST}"}}'.encode()
TYPES = "post, post_with_media, reply, quote, repost, like"
PLAN = {
    "deletes": 3,
    "gates": 1,
    "records": 9,
    "going_by_type": {"like": 2},
    "kept_by_reason": {"too_new": 6},
    "going_examples": {"like": ["at://did:plc:x/app.bsky.feed.like/a"]},
    "kept_examples": {},
    "oldest": "2024-01-01T00:00:00.000000Z",
    "newest": "2024-02-01T00:00:00.000000Z",
    "uncounted": 0,
    "hours": 1,
}


@dataclass
class Owner:
    """Calls of an owner with the token of their clean-up."""

    service: Service
    job_id: str
    token: str

    def call(self, method: str, what: str = "", body: object = None, token: str | None = None) -> httpx.Response:
        url = f"{PATH}/{self.job_id}/{what}" if what else f"{PATH}?job_id={self.job_id}"
        headers = {"X-Cleanup-Token": self.token if token is None else token}
        return self.service.client.request(method, url, json=body, headers=headers)

    @property
    def row(self) -> RepoCleanupJob:
        found: RepoCleanupJob = RepoCleanupJob.objects.get(job_id=self.job_id)
        return found

    def change(self, **values: Any) -> None:
        RepoCleanupJob._base_manager.filter(job_id=self.job_id).update(**values)

    def plan(self, **values: Any) -> None:
        """As the engine plans it."""
        self.change(
            **{
                "state": State.PLANNED,
                "plan": PLAN,
                "plan_digest": DIGEST,
                "records_planned": 3,
                "planned_at": timezone.now(),
                **values,
            }
        )

    def end(self, content: bytes = b"the CAR file") -> None:
        """As the engine ends a clean-up that deleted something."""
        name = f"{self.job_id}{backups.SUFFIX}"
        (backups.folder() / name).write_bytes(sessions.sealer().seal(content))
        until = timezone.now() + timedelta(days=30)
        self.change(state=State.COMPLETED, records_deleted=3, backup=name, backup_until=until)
        sessions.forget_of_job(self.row)


def asked(account: Account, **changes: Any) -> dict[str, Any]:
    return {
        "identifier": account.handle,
        "app_password": account.app_password,
        "cleanup_types": ["like"],
        "delete_until_days_ago": 30,
        "actually_delete_stuff": True,
        **changes,
    }


def start(service: Service, account: Account, **changes: Any) -> Owner:
    answer = service.client.post(PATH, json=asked(account, **changes))
    assert answer.status_code == 202, answer.text
    return Owner(service, answer.json()["job_id"], answer.json()["token"])


def error(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error", "message"}
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


def test_a_clean_up_is_planned_and_its_token_is_shown_once(service: Service, mira: Account, pds: PdsServer) -> None:
    protections = {"keep_pinned": False, "keep_above_likes": 5, "keep_texts": ["Zoë"], "keep_domains": ["example.com"]}
    answer = service.client.post(PATH, json=asked(mira, protections=protections, actually_delete_stuff=False))
    started = answer.json()
    row = RepoCleanupJob.objects.get()
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")
    assert (started["job_id"], started["did"], started["handle"]) == (row.job_id, mira.did, mira.handle)
    assert (started["state"], started["may_delete"], started["plan"]) == ("planning", False, None)
    assert started["rules"] == {
        "types": ["like"],
        "delete_until_days_ago": 30,
        "delete_before": None,
        "keep_pinned": False,
        "keep_self_liked": True,
        "keep_above_likes": 5,
        "keep_replied_to": False,
        "keep_texts": ["Zoë"],
        "keep_domains": ["example.com"],
        "keep_uris": [],
        "media_hosts": ["giphy.com", "klipy.com", "tenor.com"],
    }
    assert row.rules == started["rules"]
    assert row.requested_by == "the API"
    (sign_in,) = pds.asked("createSession")
    assert sign_in.body == {"identifier": mira.did, "password": mira.app_password}
    seen = Owner(service, row.job_id, started["token"]).call("GET")
    assert seen.status_code == 200
    assert "token" not in seen.json()
    assert mira.app_password not in seen.text + answer.text
    assert sessions.open_session(PdsSession.objects.get()).refresh_token not in seen.text + answer.text


@pytest.mark.parametrize("job_id", ["", "3mezc5ufk2s2x", "x" * 64, "%00", "..%2f"])
def test_a_guessed_id_and_a_wrong_token_have_the_same_answer(service: Service, mira: Account, job_id: str) -> None:
    owner = start(service, mira)
    wrong = owner.call("GET", token="x" * 43)
    assert error(wrong) == (404, "CleanupNotFound")
    headers = {"X-Cleanup-Token": owner.token}
    guessed = service.client.get(f"{PATH}?job_id={job_id}", headers=headers)
    assert (guessed.status_code, guessed.content) == (wrong.status_code, wrong.content)
    assert error(owner.call("GET", token="")) == (401, "AuthenticationRequired")
    assert error(service.client.get(f"{PATH}?job_id={owner.job_id}&token={owner.token}")) == (
        401,
        "AuthenticationRequired",
    )


def test_the_token_of_another_account_opens_nothing(service: Service, mira: Account, pds: PdsServer) -> None:
    owner, other = start(service, mira), start(service, pds.account("noel"))
    owner.plan()
    calls: list[tuple[str, str, object]] = [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "confirm", {"plan_digest": DIGEST}),
        ("POST", "sign-in", {"app_password": mira.app_password}),
        ("GET", "backup", None),
        ("DELETE", "backup", None),
        ("POST", "undo", {"app_password": mira.app_password}),
    ]
    for method, what, body in calls:
        assert error(owner.call(method, what, body, token=other.token)) == (404, "CleanupNotFound")
    assert len(pds.asked("createSession")) == 2
    assert owner.row.current_state is State.PLANNED


def test_the_plan_is_confirmed_by_its_digest_and_can_be_cancelled(service: Service, mira: Account) -> None:
    owner = start(service, mira)
    assert error(owner.call("POST", "confirm", {"plan_digest": DIGEST})) == (409, "NotPlanned")
    owner.plan()
    seen = owner.call("GET").json()
    assert seen["plan"]["going"] == [{"type": "like", "count": 2, "examples": ["at://did:plc:x/app.bsky.feed.like/a"]}]
    assert seen["plan"]["kept"][0]["sentence"] == "It is not older than the cut-off."
    assert seen["possible"] == {
        "confirm": True,
        "cancel": True,
        "sign_in": True,
        "undo": False,
        "download_backup": False,
        "delete_backup": False,
    }
    assert error(owner.call("POST", "confirm", {"plan_digest": "e" * 64})) == (409, "PlanChanged")
    before = timezone.now()
    confirmed = owner.call("POST", "confirm", {"plan_digest": DIGEST}).json()
    assert confirmed["state"] == "waiting"
    assert owner.row.next_at is not None
    assert owner.row.next_at >= before + timedelta(minutes=10)
    assert error(service.client.post(PATH, json=asked(mira))) == (409, "AnotherCleanup")
    cancelled = owner.call("DELETE").json()
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "cancelled by the owner")
    assert error(owner.call("DELETE")) == (409, "NotPossible")
    assert not PdsSession.objects.exists()
    assert [row.action for row in CleanupAudit.objects.order_by("pk")] == ["created (delete)", "confirmed", "cancelled"]


def test_a_plan_without_the_flag_is_never_confirmed_and_a_new_one_replaces_it(service: Service, mira: Account) -> None:
    owner = start(service, mira, actually_delete_stuff=False)
    owner.plan()
    assert error(owner.call("POST", "confirm", {"plan_digest": DIGEST})) == (409, "NotPermitted")
    new = start(service, mira)
    assert (owner.call("GET").json()["state"], new.call("GET").json()["state"]) == ("cancelled", "planning")
    assert PdsSession.objects.get().job == new.row


def test_a_refused_clean_up_leaves_no_session(service: Service, mira: Account, pds: PdsServer) -> None:
    owner = start(service, mira)
    owner.plan()
    owner.call("POST", "confirm", {"plan_digest": DIGEST})
    assert pds.sessions == 1
    assert error(service.client.post(PATH, json=asked(mira))) == (409, "AnotherCleanup")
    assert (pds.sessions, PdsSession.objects.count()) == (1, 1)


def test_an_owner_signs_in_again_with_the_same_plan(service: Service, mira: Account, pds: PdsServer) -> None:
    owner = start(service, mira)
    owner.plan(state=State.NEEDS_SIGN_IN, confirmed_at=timezone.now(), started_at=timezone.now())
    PdsSession.objects.all().delete()
    noel = pds.account("noel")
    other = {"identifier": noel.handle, "app_password": noel.app_password}
    assert error(owner.call("POST", "sign-in", other)) == (409, "WrongAccount")
    assert pds.sessions == 1  # that of the first sign-in, whose row the test deleted
    assert error(owner.call("POST", "sign-in", {"app_password": "aaaa-aaaa-aaaa-aaaa"})) == (
        401,
        "AuthenticationRequired",
    )
    again = owner.call("POST", "sign-in", {"app_password": mira.app_password}).json()
    assert (again["state"], again["plan_digest"]) == ("waiting", DIGEST)
    assert PdsSession.objects.get().job == owner.row


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda account: setattr(account, "status", "takendown"), (403, "AccountTakedown")),
        (lambda account: setattr(account, "status", "deactivated"), (400, "AccountDeactivated")),
        (
            lambda account: account.app_passwords.update({"clean-up": "aaaa-bbbb-cccc-dddd"}),
            (401, "AuthenticationRequired"),
        ),
        (lambda account: setattr(account, "endpoint", "http://127.0.0.1:1"), (502, "UpstreamFailure")),
        (lambda account: setattr(account, "sign_ins", type(account.sign_ins)(0, 300)), (429, "RateLimitExceeded")),
    ],
)
def test_a_sign_in_that_fails_says_why_and_keeps_nothing(
    service: Service, mira: Account, act: Callable[[Account], object], expected: tuple[int, str]
) -> None:
    body = asked(mira)
    act(mira)
    answer = service.client.post(PATH, json=body)
    assert error(answer) == expected
    assert body["app_password"] not in answer.text
    assert ("retry-after" in answer.headers) == (expected[0] == 429)
    assert (RepoCleanupJob.objects.count(), PdsSession.objects.count()) == (0, 0)


def test_a_main_password_in_the_form_of_an_app_password_is_found_by_its_scope(
    service: Service, mira: Account, pds: PdsServer
) -> None:
    mira.password, mira.has_two_factors = "aaaa-bbbb-cccc-dddd", True
    body = asked(mira, app_password=mira.password)
    assert error(service.client.post(PATH, json=body)) == (401, "AuthFactorTokenRequired")
    mira.has_two_factors = False
    assert error(service.client.post(PATH, json=body)) == (400, "NotAnAppPassword")
    assert pds.sessions == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identifier": None}, "identifier: Input should be a valid string"),
        ({"identifier": "mira@mail.test"}, "Give your handle, such as alice.bsky.social, not your e-mail address."),
        ({"app_password": "correct horse"}, "That is not an app password, which looks like xxxx-xxxx-xxxx-xxxx."),
        ({"cleanup_types": []}, f"cleanup_types: choose at least one of {TYPES}"),
        ({"cleanup_types": ["follow"]}, f"cleanup_types: 'follow' is not one of {TYPES}"),
        ({"cleanup_types": "like"}, "cleanup_types: Input should be a valid list"),
        ({"delete_until_days_ago": -1}, "delete_until_days_ago: -1 is not a whole number from 0 to 1,000,000,000"),
        ({"delete_until_days_ago": "30"}, "delete_until_days_ago: Input should be a valid integer"),
        ({"delete_until_days_ago": 30.0}, "delete_until_days_ago: Input should be a valid integer"),
        ({"delete_until_days_ago": True}, "delete_until_days_ago: Input should be a valid integer"),
        ({"delete_before": "2026-01-01T00:00:00Z"}, "give either delete_until_days_ago or delete_before, not both"),
        ({"delete_before": "soon"}, "give either delete_until_days_ago or delete_before, not both"),
        ({"actually_delete_stuff": 1}, "actually_delete_stuff: Input should be a valid boolean"),
        ({"actually_delete_stuff": "true"}, "actually_delete_stuff: Input should be a valid boolean"),
        ({"actually_delete": True}, "actually_delete: Extra inputs are not permitted"),
        ({"protections": {"keep_pined": True}}, "protections.keep_pined: Extra inputs are not permitted"),
        ({"protections": []}, "protections: Input should be a valid dictionary or object to extract fields from"),
        ({"protections": {"keep_texts": [""]}}, "keep_texts: '' is not a text, or is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_sent(
    service: Service, mira: Account, pds: PdsServer, change: dict[str, Any], message: str
) -> None:
    answer = service.client.post(PATH, json=asked(mira, **change))
    assert answer.status_code == 400
    assert answer.json()["message"].removesuffix(" It was not sent anywhere.") == message
    assert pds.asked("createSession") == []
    assert not RepoCleanupJob.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"identifier": "\xff"}', b"[" * 100_000, b'{"plan_digest": "a", "plan_digest": "b"}'],
)
def test_a_body_that_is_no_object_is_refused(service: Service, mira: Account, body: bytes) -> None:
    owner = start(service, mira)
    owner.plan()
    for path in (PATH, f"{PATH}/{owner.job_id}/confirm"):
        answer = service.client.post(path, content=body, headers={"X-Cleanup-Token": owner.token})
        assert error(answer) == (400, "InvalidRequest")


def test_a_large_body_is_not_read(service: Service) -> None:
    answer = service.client.post(PATH, content=b"x" * 300_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "PayloadTooLarge")


def test_a_paused_site_and_a_refused_account_say_so_before_a_password_is_sent(
    service: Service, mira: Account, pds: PdsServer
) -> None:
    switch = CleanupSwitch.objects.create(paused=True)
    answer = service.client.post(PATH, json=asked(mira))
    assert (*error(answer), answer.headers.get("retry-after")) == (503, "CleanupsUnavailable", "60")
    assert pds.asked("createSession") == []
    switch.delete()
    RefusedAccount.objects.create(did=mira.did)
    assert error(service.client.post(PATH, json=asked(mira))) == (403, "AccountRefused")
    assert pds.sessions == 0


def test_the_backup_is_downloaded_decrypted_and_deleted(service: Service, mira: Account) -> None:
    owner = start(service, mira)
    assert error(owner.call("GET", "backup")) == (409, "NoBackup")
    content = bytes(range(256)) * 4_000
    owner.end(content)
    assert owner.call("GET").json()["possible"]["undo"]
    answer = owner.call("GET", "backup")
    assert (answer.content == content, answer.headers["content-type"]) == (True, "application/vnd.ipld.car")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="{mira.did.replace(":", "-")}-{owner.job_id}.car"'
    )
    assert answer.headers["cache-control"] == "no-store"
    for _ in range(12):  # more than may run at once: each gives its place back, also when its reader goes
        with service.client.stream("GET", f"{PATH}/{owner.job_id}/backup", headers={"X-Cleanup-Token": owner.token}):
            pass
    assert owner.call("GET", "backup").content == content
    assert owner.call("DELETE", "backup").json()["backup_until"] is None
    assert not (backups.folder() / f"{owner.job_id}{backups.SUFFIX}").exists()
    assert error(owner.call("GET", "backup")) == (409, "NoBackup")
    assert error(owner.call("POST", "undo", {"app_password": mira.app_password})) == (409, "NoBackup")
    assert not PdsSession.objects.exists()


def test_an_ended_clean_up_is_undone_by_a_job_with_a_token_of_its_own(service: Service, mira: Account) -> None:
    owner = start(service, mira)
    owner.end()
    answer = owner.call("POST", "undo", {"app_password": mira.app_password})
    undo = Owner(service, answer.json()["job_id"], answer.json()["token"])
    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["undoes"]) == (Kind.UNDO, owner.job_id)
    assert undo.call("GET").json()["state"] == "planning"
    assert error(owner.call("GET", token=undo.token)) == (404, "CleanupNotFound")
    assert error(owner.call("POST", "undo", {"app_password": mira.app_password})) == (409, "AnotherCleanup")


def test_the_sums_are_public_and_tell_of_nobody(service: Service, mira: Account) -> None:
    answer = service.client.get(f"{PATH}/stats")
    assert answer.status_code == 200
    assert set(answer.json()) == {
        "cleanups", "active", "completed", "cancelled", "failed", "undone", "records_deleted", "records_created_again",
    }  # fmt: skip
    assert all(isinstance(value, int) for value in answer.json().values())


def test_the_api_sets_no_cookie_and_allows_no_other_origin(service: Service, mira: Account) -> None:
    owner = start(service, mira)
    answer = service.client.get(
        f"{PATH}?job_id={owner.job_id}", headers={"X-Cleanup-Token": owner.token, "Origin": "https://evil.example"}
    )
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control") or name == "set-cookie"]


def test_a_site_without_keys_offers_nothing(
    django_db_setup: None, clickhouse: None, pds: PdsServer, mira: Account
) -> None:
    for service in running(
        ATSITE_ENVIRONMENT="production",
        SECRET_KEY="s" * 40,
        ALLOWED_HOSTS="127.0.0.1",
        PLC_URL=pds.url,
        HANDLE_RESOLVER_URL=pds.url,
    ):
        assert error(service.client.post(PATH, json=asked(mira))) == (503, "CleanupsUnavailable")
        assert pds.asked("createSession") == []
