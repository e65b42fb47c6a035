"""What the owner of an account does with clean-ups, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from atsite.core.atproto.syntax import Did
from atsite.core.jobs.errors import IllegalMove
from atsite.core.jobs.lease import claim
from atsite.core.pds import Session
from search.cleanup import owner_actions
from search.cleanup.access import audit, sessions, tokens
from search.cleanup.engine import backups
from search.cleanup.jobs import AnotherJob
from search.cleanup.models import (
    CleanupAudit,
    CleanupBatch,
    CleanupSwitch,
    Kind,
    PdsSession,
    RefusedAccount,
    RepoCleanupJob,
)
from search.cleanup.owner_actions import AccountRefused, NotOffered, NotPossible
from search.cleanup.planning.rules import Rules
from search.cleanup.states import State
from tests.search.cleanup.rows import job

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

MIRA = Did("did:plc:miramiramiramiramiramira")
RULES = Rules(types=frozenset({"like", "post"}), delete_before=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
DIGEST = "d" * 64
#: Nothing listens there.
PDS = "http://127.0.0.1:1"


def session(did: Did = MIRA) -> PdsSession:
    tokens = Session(did=did, handle="mira.test", access_token="a", refresh_token="r")
    return sessions.store(tokens, PDS, expires_at=timezone.now() + timedelta(minutes=30))


def created(*, permitted: bool = True) -> tuple[RepoCleanupJob, str]:
    return owner_actions.create(
        session(), "mira.test", RULES, permitted=permitted, requested_by="the page", address="192.0.2.7"
    )


def planned(**fields: object) -> RepoCleanupJob:
    """A job of Mira with a plan that may be confirmed, and its session."""
    values = {"plan_digest": DIGEST, "records_planned": 3, "permitted": True, "planned_at": timezone.now()}
    row = job(MIRA, State.PLANNED, **{**values, **fields})
    sessions.give_to_job(session(), row, expires_at=timezone.now() + timedelta(hours=1))
    return row


def ended(**fields: object) -> RepoCleanupJob:
    """A job of Mira that deleted records and has a backup."""
    until = timezone.now() + timedelta(days=3)
    values = {"records_deleted": 3, "backup": "a.age", "backup_until": until, "handle": "mira.test"}
    return job(MIRA, State.CANCELLED, **{**values, **fields})


def refused(act: Callable[[], object]) -> str:
    """The name of the error."""
    with pytest.raises(NotPossible) as caught:
        act()
    return caught.value.name


def actions() -> list[tuple[str, str, str]]:
    return list(CleanupAudit.objects.order_by("pk").values_list("action", "by", "address_hash"))


def test_a_new_job_has_the_rules_the_session_and_the_hash_of_its_token() -> None:
    row, token = created()
    stored = RepoCleanupJob.objects.get()
    assert (stored.did, stored.handle, stored.kind, stored.state) == (MIRA, "mira.test", "delete", "planning")
    assert (stored.types, stored.cut_off, stored.permitted) == (["like", "post"], RULES.delete_before, True)
    assert Rules.from_json(stored.rules) == RULES
    assert PdsSession.objects.get().job == row
    assert len(token) == 43
    assert token not in repr(RepoCleanupJob.objects.values().get())
    assert (tokens.opens(token, stored), tokens.opens(f"{token}x", stored)) == (True, False)
    assert (tokens.opens("", job("did:plc:noelnoelnoelnoelnoelnoel")), tokens.opens("", None)) == (False, False)
    assert actions() == [("created (delete)", "the owner", audit.address_hash("192.0.2.7"))]
    assert "192.0.2.7" not in repr(CleanupAudit.objects.values().get())


def test_days_are_counted_from_now_also_where_there_are_too_many() -> None:
    before = timezone.now() - timedelta(days=30)
    row, _ = owner_actions.create(
        session(),
        "",
        Rules(types=RULES.types, delete_until_days_ago=30),
        permitted=False,
        requested_by="the API",
    )
    assert before <= row.cut_off <= timezone.now() - timedelta(days=30)
    ancient = Rules(types=RULES.types, delete_until_days_ago=1_000_000_000)
    row, _ = owner_actions.create(session(), "", ancient, permitted=False, requested_by="the API")
    assert row.cut_off == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (State.PLANNING, {}),
        (State.PLANNED, {}),
        (State.WAITING, {}),
        (State.NEEDS_SIGN_IN, {}),
    ],
)
def test_a_job_that_is_not_confirmed_is_replaced_with_its_session(state: State, fields: dict[str, object]) -> None:
    old = job(MIRA, state, **fields)
    sessions.give_to_job(session(), old, expires_at=timezone.now() + timedelta(hours=1))
    row, _ = created()
    old.refresh_from_db()
    assert (old.state, old.reason) == ("cancelled", "replaced by a new clean-up")
    assert [each.job for each in PdsSession.objects.all()] == [row]


def test_a_job_that_a_worker_is_planning_is_replaced_at_once() -> None:
    assert claim(job(MIRA)) is not None
    created()
    assert sorted(RepoCleanupJob.objects.values_list("state", flat=True)) == ["cancelled", "planning"]


@pytest.mark.parametrize("fields", [{"confirmed_at": timezone.now()}, {"kind": Kind.UNDO}])
def test_a_job_that_was_confirmed_and_an_undo_are_never_replaced(fields: dict[str, object]) -> None:
    job(MIRA, State.WAITING, **fields)
    with pytest.raises(AnotherJob):
        created()
    assert RepoCleanupJob.objects.get().state == "waiting"
    assert PdsSession.objects.get().job is None


def test_a_site_that_pauses_refuses_or_has_no_keys_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    row = planned()
    CleanupSwitch.objects.create(paused=True)
    with pytest.raises(NotOffered, match="paused"):
        created()
    with pytest.raises(NotOffered, match="paused"):
        owner_actions.confirm(row, DIGEST)
    CleanupSwitch.objects.update(paused=False)
    refusal = RefusedAccount.objects.create(did=MIRA)
    with pytest.raises(AccountRefused):
        created()
    with pytest.raises(AccountRefused):
        owner_actions.confirm(row, DIGEST)
    refusal.delete()
    waiting = session()
    monkeypatch.setattr(sessions, "sealer", lambda: False)
    with pytest.raises(NotOffered, match="does not offer"):
        owner_actions.create(waiting, "", RULES, permitted=True, requested_by="")
    row.refresh_from_db()
    assert (row.state, CleanupAudit.objects.count()) == ("planned", 0)


def test_a_confirmed_job_waits_for_ten_minutes_in_which_it_can_be_cancelled() -> None:
    row, before = planned(), timezone.now()
    row = owner_actions.confirm(row, DIGEST, address="192.0.2.7")
    assert (row.state, row.confirmed_at is not None) == ("waiting", True)
    assert row.next_at is not None
    assert before + timedelta(minutes=10) <= row.next_at <= timezone.now() + timedelta(minutes=10)
    assert PdsSession.objects.get().expires_at > timezone.now() + timedelta(days=89)
    assert claim(row) is None
    row = owner_actions.cancel(row)
    assert (row.state, row.reason, PdsSession.objects.count()) == ("cancelled", "cancelled by the owner", 0)
    assert [action for action, *_ in actions()] == ["confirmed", "cancelled"]


def test_only_the_plan_that_was_shown_is_confirmed() -> None:
    row = planned()
    assert refused(lambda: owner_actions.confirm(row, "e" * 64)) == "PlanChanged"
    assert refused(lambda: owner_actions.confirm(row, "\ud800é")) == "PlanChanged"
    assert refused(lambda: owner_actions.confirm(row, "")) == "PlanChanged"
    row.refresh_from_db()
    assert (row.state, row.confirmed_at) == ("planned", None)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"permitted": False}, "NotPermitted"),
        ({"records_planned": 0}, "NothingToDelete"),
        ({"state": State.WAITING}, "NotPlanned"),
        ({"state": State.COMPLETED}, "NotPlanned"),
    ],
)
def test_what_cannot_be_confirmed(fields: dict[str, object], name: str) -> None:
    row = planned()
    for field, value in fields.items():
        setattr(row, field, value)
    row.save()
    assert refused(lambda: owner_actions.confirm(row, DIGEST)) == name


def test_a_plan_that_is_confirmed_after_its_session_ended_waits_for_a_sign_in_and_then_for_the_pause() -> None:
    row = planned()
    PdsSession.objects.update(expires_at=timezone.now())
    row = owner_actions.confirm(row, DIGEST)
    assert (row.state, row.next_at, PdsSession.objects.count()) == ("needs_sign_in", None, 0)
    other = session(Did("did:plc:noelnoelnoelnoelnoelnoel"))
    assert refused(lambda: owner_actions.sign_in_again(row, other)) == "WrongAccount"
    before = timezone.now()
    row = owner_actions.sign_in_again(row, session())
    assert (row.state, row.plan_digest) == ("waiting", DIGEST)
    assert row.next_at is not None
    assert row.next_at >= before + timedelta(minutes=10)
    assert PdsSession.objects.get(job=row).expires_at > timezone.now() + timedelta(days=89)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"planned_at": timezone.now(), "confirmed_at": timezone.now(), "started_at": timezone.now()}, "waiting"),
        ({}, "planning"),
        ({"kind": Kind.UNDO}, "planning"),
        ({"kind": Kind.UNDO, "planned_at": timezone.now(), "confirmed_at": timezone.now()}, "waiting"),
    ],
)
def test_what_had_begun_goes_on_at_once_after_a_sign_in(fields: dict[str, object], state: str) -> None:
    row = owner_actions.sign_in_again(job(MIRA, State.NEEDS_SIGN_IN, **fields), session())
    assert row.state == state
    assert row.next_at is not None
    assert row.next_at <= timezone.now()


def test_a_plan_takes_a_new_session_and_what_runs_or_may_not_delete_takes_none() -> None:
    row = planned()
    sign_in = session()
    assert owner_actions.sign_in_again(row, sign_in).state == "planned"
    assert PdsSession.objects.get().pk == sign_in.pk
    for fields in ({"permitted": False}, {"permitted": True, "state": State.RUNNING}):
        RepoCleanupJob._base_manager.update(**fields)
        assert refused(lambda: owner_actions.sign_in_again(row, session())) == "NoSignInNeeded"
    assert PdsSession.objects.get(job=row).pk == sign_in.pk


def test_a_job_at_work_keeps_its_session_until_its_worker_ends_it() -> None:
    row = job(MIRA, State.RUNNING, confirmed_at=timezone.now())
    sessions.give_to_job(session(), row, expires_at=timezone.now() + timedelta(hours=1))
    assert claim(row) is not None
    row = owner_actions.cancel(row)
    assert (row.state, row.is_to_be_cancelled, PdsSession.objects.count()) == ("running", True, 1)
    RepoCleanupJob._base_manager.update(state=State.COMPLETED)
    with pytest.raises(IllegalMove):
        owner_actions.cancel(row)


def test_an_ended_job_with_a_backup_is_undone_by_a_new_job() -> None:
    row = ended()
    assert owner_actions.can_undo(row)
    new, token = owner_actions.undo(row, session(), requested_by="the page")
    assert (new.kind, new.undoes, new.state, new.handle) == ("undo", row, "planning", "mira.test")
    assert tokens.opens(token, new)
    assert PdsSession.objects.get().job == new
    with pytest.raises(AnotherJob):
        owner_actions.undo(row, session(), requested_by="the page")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"kind": Kind.UNDO}, "NotEnded"),
        ({"state": State.RUNNING}, "NotEnded"),
        ({"records_deleted": 0}, "NothingToUndo"),
        ({"backup": ""}, "NoBackup"),
        ({"backup_until": datetime(2026, 1, 1, tzinfo=UTC)}, "NoBackup"),
    ],
)
def test_what_cannot_be_undone(fields: dict[str, object], name: str) -> None:
    row = ended()
    for field, value in fields.items():
        setattr(row, field, value)
    row.save()
    assert not owner_actions.can_undo(row)
    assert refused(lambda: owner_actions.undo(row, session(), requested_by="")) == name
    other = session(Did("did:plc:noelnoelnoelnoelnoelnoel"))
    assert refused(lambda: owner_actions.undo(row, other, requested_by="")) == "WrongAccount"
    assert RepoCleanupJob.objects.count() == 1


def test_a_backup_is_deleted_with_its_file_once_nothing_needs_it() -> None:
    row = ended()
    file = backups.folder() / row.backup
    file.write_bytes(b"x")
    CleanupBatch.objects.create(job=row, number=1, records=1, items=[["app.bsky.feed.like/a", "c"]], outcome="d")
    undo, _ = owner_actions.undo(row, session(), requested_by="")
    assert refused(lambda: owner_actions.delete_backup(row)) == "NotEnded"
    owner_actions.cancel(undo)
    assert file.exists()
    owner_actions.delete_backup(row)
    row.refresh_from_db()
    assert (row.backup, row.backup_until, file.exists()) == ("", None, False)
    assert CleanupBatch.objects.get(job=row).items == []
    assert refused(lambda: owner_actions.delete_backup(row)) == "NoBackup"
