"""Tokens of accounts at their PDS: encrypted, replaced in one step, and gone for good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pyrage import x25519

from atsite.core.pds import Session
from atsite.core.sealed import CannotDecrypt, Sealer
from search.cleanup.access import sessions
from search.cleanup.models import PdsSession
from tests.search.cleanup.access.network import MIRA
from tests.search.cleanup.rows import job

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from tests.search.cleanup.access.network import Network

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

SOON = timedelta(hours=1)


def session(refresh: str = "the refresh token", did: Did = MIRA) -> Session:
    return Session(did=did, handle="mira.test", access_token="the access token", refresh_token=refresh)


def kept(pds: Network, refresh: str = "the refresh token") -> PdsSession:
    return sessions.store(session(refresh), pds.url, expires_at=timezone.now() + SOON)


def rows() -> list[int]:
    return list(PdsSession.objects.order_by("pk").values_list("pk", flat=True))


def test_a_session_comes_back_as_it_was_and_its_row_shows_no_token(pds: Network) -> None:
    kept(pds)
    row = PdsSession.objects.get()
    assert sessions.open_session(row) == session()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM cleanup_pdssession")
        raw = repr([bytes(each) if isinstance(each, memoryview) else each for each in cursor.fetchone()])
    assert MIRA in raw
    assert "token" not in raw
    assert "token" not in repr(row) + str(row)


def test_new_tokens_replace_the_old_in_one_update(pds: Network) -> None:
    row, now = kept(pds), timezone.now() + SOON
    sessions.keep_rotated(row, session("newer"), now=now)
    stored = PdsSession.objects.get()
    assert (sessions.open_session(stored).refresh_token, stored.refreshed_at) == ("newer", now)
    assert stored.expires_at == now + timedelta(days=90)
    assert sessions.open_session(row).refresh_token == "newer"
    assert pds.signed_out == []


def test_new_tokens_of_a_session_that_was_deleted_are_signed_out_and_not_kept(pds: Network) -> None:
    row = kept(pds)
    PdsSession.objects.all().delete()
    with pytest.raises(sessions.SessionGone):
        sessions.keep_rotated(row, session("newer"), now=timezone.now())
    assert rows() == []
    assert pds.signed_out == ["newer"]


def test_a_forgotten_session_is_deleted_and_signed_out_once(pds: Network) -> None:
    row = kept(pds)
    sessions.forget(row)
    sessions.forget(row)
    assert rows() == []
    assert pds.signed_out == ["the refresh token"]


@pytest.mark.parametrize("status", [500, 0])
def test_a_pds_that_does_not_answer_keeps_no_row_alive(pds: Network, status: int) -> None:
    pds.status = status
    row = sessions.store(session(), pds.url if status else "http://127.0.0.1:1", expires_at=timezone.now() + SOON)
    sessions.forget(row)
    assert rows() == []


def test_a_row_that_no_key_opens_is_deleted_too(pds: Network) -> None:
    row = kept(pds)
    row.sealed = b"x"
    row.save()
    with pytest.raises(CannotDecrypt):
        sessions.open_session(row)
    sessions.forget(row)
    assert (rows(), pds.signed_out) == ([], [])


def test_tokens_moved_to_the_row_of_another_account_do_not_open(pds: Network) -> None:
    row = kept(pds)
    PdsSession.objects.update(did="did:plc:noelnoelnoelnoelnoelnoel")
    row.refresh_from_db()
    with pytest.raises(CannotDecrypt, match="another account"):
        sessions.open_session(row)


def test_the_sign_out_waits_for_the_commit_and_does_not_follow_a_rollback(pds: Network) -> None:
    row = kept(pds)
    with transaction.atomic():
        sessions.forget(row)
        transaction.set_rollback(True)
    assert (rows(), pds.signed_out) == ([row.pk], [])
    with transaction.atomic():
        sessions.forget(row)
        seen = list(pds.signed_out)
    assert (seen, len(pds.signed_out)) == ([], 1)


def test_the_session_of_a_job_replaces_its_earlier_one(pds: Network) -> None:
    row, later = job(), timezone.now() + timedelta(days=1)
    first, second = kept(pds, refresh="first"), kept(pds, refresh="second")
    sessions.give_to_job(first, row, expires_at=later)
    sessions.give_to_job(second, row, expires_at=later)
    stored = PdsSession.objects.get()
    assert (stored.pk, stored.job, stored.expires_at) == (second.pk, row, later)
    assert pds.signed_out == ["first"]
    sessions.forget_of_job(row)
    assert (rows(), pds.signed_out[1:]) == ([], ["second"])
    with pytest.raises(sessions.SessionGone):
        sessions.give_to_job(second, row, expires_at=later)


def test_sessions_that_have_expired_are_forgotten_and_the_others_stay(pds: Network) -> None:
    now = timezone.now()
    sessions.store(session("ended"), pds.url, expires_at=now)
    stays = sessions.store(session(), pds.url, expires_at=now + timedelta(microseconds=1))
    assert sessions.forget_expired(now=now) == 1
    assert rows() == [stays.pk]
    assert pds.signed_out == ["ended"]


def test_after_a_rotation_of_keys_each_session_is_encrypted_with_the_newest(
    pds: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (str(x25519.Identity.generate()) for _ in range(2))
    monkeypatch.setattr(sessions, "sealer", lambda: Sealer([old]))
    kept(pds)
    monkeypatch.setattr(sessions, "sealer", lambda: Sealer([new, old]))
    kept(pds)
    assert (sessions.seal_again(), sessions.seal_again()) == (1, 0)
    monkeypatch.setattr(sessions, "sealer", lambda: Sealer([new]))
    assert [sessions.open_session(row) for row in PdsSession.objects.all()] == [session()] * 2
