from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from indexer.index import queries, records
from indexer.index.events import Dead, DeadReason
from tests.indexer import frames
from tests.indexer.frames import SECOND, T0
from tests.rows import Floor, store

pytestmark = [pytest.mark.usefixtures("clickhouse"), pytest.mark.django_db]

RKEY = "3mmoojp7etg2g"
GOOD = frames.post(frames.did(1), RKEY, "hello", at=T0)


def bury(*payloads: bytes, reason: DeadReason = DeadReason.BAD_RKEY) -> list[str]:
    """Dead letters as the indexer writes them; their ids."""
    dead = [Dead(reason, "", payload, T0) for payload in payloads]
    door.insert("dead_letters", records.dead_letters(dead, "host"), name="tests.dead_letters")
    return [records.dead_letter_id(letter) for letter in dead]


def retry(*arguments: str) -> str:
    output = StringIO()
    call_command("retry_dead_letters", *arguments, stdout=output)
    return output.getvalue()


def living() -> list[str]:
    return [letter.id for letter in queries.dead_letters(after="", ids=(), reason="", limit=100)]


def texts() -> list[str]:
    return door.column("SELECT text FROM posts FINAL WHERE deleted = 0 ORDER BY text", name="tests.texts")


def test_a_letter_that_decodes_now_is_indexed_and_ends() -> None:
    bury(GOOD)

    assert retry() == "1 indexed, 0 left out\n"

    assert texts() == ["hello"]
    assert living() == []


def test_a_letter_that_came_again_by_a_replay_stays_ended() -> None:
    bury(GOOD)
    retry()

    bury(GOOD)

    assert living() == []


def test_a_letter_that_is_still_dead_stays_and_says_why() -> None:
    ids = bury(b"{", b"\xff\xfe", reason=DeadReason.MALFORMED)

    assert retry() == "0 indexed, 0 left out\n2 still dead: malformed\n"

    assert living() == sorted(ids)


def test_a_dry_run_says_what_would_happen_and_writes_nothing() -> None:
    ids = bury(GOOD)

    assert retry("--dry-run") == "1 would be indexed, 0 left out\n"

    assert (living(), texts()) == (ids, [])


def test_letters_are_chosen_by_id_or_by_reason() -> None:
    other = frames.post(frames.did(2), RKEY, "other", at=T0)
    third = frames.post(frames.did(3), RKEY, "third", at=T0)
    first_id, _ = bury(GOOD, other)
    bury(third, reason=DeadReason.REFUSED)

    retry(first_id)
    assert texts() == ["hello"]

    retry("--reason", "refused")
    assert texts() == ["hello", "third"]


def test_a_letter_below_its_repos_floor_is_left_out_for_good() -> None:
    store(Floor(Did(frames.did(1)), (T0 + SECOND) << 10, "deleted"))
    bury(GOOD)

    assert retry() == "0 indexed, 1 left out\n"

    assert (living(), texts()) == ([], [])


def test_more_letters_than_one_page_are_all_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.stream.dead_letter_retry.PAGE", 2)
    bury(*(frames.post(frames.did(number), RKEY, f"post {number}", at=T0) for number in range(5)))

    assert retry() == "5 indexed, 0 left out\n"

    assert texts() == [f"post {number}" for number in range(5)]
