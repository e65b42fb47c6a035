"""Indexed data in the admin, through HTTP against the real stores."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.utils.html import escape
from kombu.exceptions import OperationalError

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from indexer.fill import queries
from indexer.fill.profiles import Counts, Profile
from indexer.index import queries as indexer_queries
from indexer.index import records
from indexer.index.events import Dead, DeadReason
from indexer.index.models import Backfill
from tests.admin.conftest import groups, login
from tests.away import clickhouse_away
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    account,
    ago,
    delete,
    floor,
    follow,
    identity,
    micros,
    post,
    profile,
    store,
)
from tests.indexer import frames
from tests.indexer.frames import T0

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

__all__ = ["groups", "login"]

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

ACTORS, POSTS, LETTERS = (f"/admin/indexer/{name}/" for name in ("actor", "post", "deadletter"))
HOSTILE = "<script>alert(1)</script>\u202e"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def browser(login: Callable[..., Client]) -> Client:
    return login("operators")


def page(browser: Client, address: str, **query: str) -> str:
    response = browser.get(address, query)
    assert response.status_code == 200, response.content.decode()[-500:]
    return response.content.decode()


def cells(text: str, column: str) -> list[str]:
    """The texts of one column, without marks."""
    found = re.findall(rf'<t[dh] class="[^"]*field-{column}[^"]*"[^>]*>(.*?)</t[dh]>', text, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in found]


def test_actors_are_listed_with_what_is_known_of_them(browser: Client) -> None:
    store(
        identity(ALICE, "alice.example.com", at=ago(hours=1)),
        profile(BOB, name=HOSTILE, at=ago(hours=1)),
        account(CAROL, active=False, status="deactivated", at=ago(hours=1)),
    )
    asked = Profile(BOB, "bob.example.com", "Bob", Counts(1_234, 5, 6))
    queries.store({BOB: asked}, source="appview", due_us={BOB: 0}, now=micros(ago(minutes=1)))
    text = page(browser, ACTORS)
    assert cells(text, "did") == sorted([ALICE, BOB, CAROL], reverse=True)
    rows = zip(cells(text, "called"), cells(text, "status_badge"), cells(text, "followers"), strict=True)
    by_did = dict(zip(cells(text, "did"), rows, strict=True))
    assert by_did == {
        ALICE: ("@alice.example.com", "active", "0"),
        BOB: ("@bob.example.com", "active", "1,234"),
        CAROL: ("–", "deactivated", "0"),
    }
    assert "<script>alert" not in text


def test_numbers_tell_where_they_come_from_and_since_when(browser: Client) -> None:
    taken_back = follow(CAROL, ALICE, at=ago(hours=3))
    store(
        identity(ALICE, "alice.example.com", at=ago(hours=1)),
        follow(BOB, ALICE, at=ago(hours=2)),
        follow(BOB, ALICE, at=ago(hours=1)),
        taken_back,
        delete(taken_back, at=ago(hours=2)),
        follow(ALICE, BOB, at=ago(hours=2)),
        post(ALICE, at=ago(hours=2)),
        post(ALICE, at=ago(hours=1)),
    )
    text = page(browser, ACTORS, q=ALICE)
    assert [cells(text, name) for name in ("followers", "follows", "posts")] == [["1"], ["1"], ["2"]]
    assert cells(text, "counted") == ["the stream, since this site began"]
    door.insert("daily_stats", {"day": [datetime(2026, 3, 1, tzinfo=UTC).date()]}, name="tests.stats")
    assert cells(page(browser, ACTORS, q=ALICE), "counted") == ["the stream, since 2026-03-01"]
    asked = Profile(ALICE, "alice.example.com", "", Counts(10, 20, 30))
    queries.store({ALICE: asked}, source="appview", due_us={ALICE: 0}, now=1_790_000_000_000_000)
    text = page(browser, f"{ACTORS}{ALICE.replace(':', '%3A')}/change/".replace("%", "_25"))
    assert "the AppView, 2026-09-21 14:13:20" in text


def test_actors_are_found_by_the_beginning_of_a_handle_or_of_a_did(browser: Client) -> None:
    store(
        identity(ALICE, "ann.example.com", at=ago(hours=3)),
        identity(BOB, "Anton.Example.com", at=ago(hours=1)),
        identity(ALICE, "alice.example.com", at=ago(hours=1)),
    )
    told = {CAROL: Profile(CAROL, "anna.example.com", "Carol")}
    queries.store(told, source="pds", due_us={CAROL: 0}, now=micros(ago(hours=1)))
    by_handle = {
        "an": [CAROL, BOB],  # in the order of handles, and not who was called so before
        "@Ann": [CAROL],
        "ann.example.com": [],
        "alice.example.com": [ALICE],
        "\u202aalice.exam\u202c": [ALICE],
        "https://bsky.app/profile/alice.example.com/post/3k": [ALICE],
        f"at://{ALICE}/app.bsky.feed.post/3k": [ALICE],
        "example": [],
    }
    assert {term: cells(page(browser, ACTORS, q=term), "did") for term in by_handle} == by_handle
    (row,) = page(browser, ACTORS, q="anton").split('class="field-did')[1:]
    assert "@anton.example.com" in row
    assert cells(page(browser, ACTORS, q=BOB[:-2]), "did") == [did for did in [BOB] if did.startswith(BOB[:-2])]
    assert cells(page(browser, ACTORS, q="nobody.example.com"), "did") == []


def test_an_actor_whose_handle_could_not_be_verified_or_was_taken_has_none(browser: Client) -> None:
    store(
        identity(ALICE, "handle.invalid", at=ago(hours=3)),
        identity(BOB, "bob.example.com", at=ago(hours=3)),
        identity(CAROL, "bob.example.com", at=ago(hours=1)),
        post(ALICE, at=ago(hours=1)),
    )
    told = {did: cells(page(browser, ACTORS, q=did), "called") for did in (ALICE, BOB, CAROL)}
    said = escape("this account's handle could not be verified")
    assert told == {ALICE: [said], BOB: ["–"], CAROL: ["@bob.example.com"]}
    assert cells(page(browser, POSTS), "who") == [f"{said} {ALICE}"]
    for list_ in (ACTORS, POSTS):
        assert cells(page(browser, list_, q="handle.invalid"), "did") == []
    assert cells(page(browser, ACTORS, q="bob.ex"), "did") == [CAROL]


def test_the_pages_of_actors_follow_each_other_whatever_table_tells_of_them(browser: Client) -> None:
    dids = [Did(f"did:plc:{number:04d}") for number in range(120)]
    store(*(identity(did, "x.test", at=1_000 + index) for index, did in enumerate(dids) if index % 2))
    store(*(account(did, at=1_000) for index, did in enumerate(dids) if index % 2 == 0))
    store(*(identity(dids[3], f"x{number}.test", at=2_000 + number) for number in range(30)))
    listed = [cells(page(browser, ACTORS, p=str(number)), "did") for number in (1, 2, 3)]
    assert [len(part) for part in listed] == [50, 50, 20]
    assert [did for part in listed for did in part] == sorted(dids, reverse=True)


def test_a_page_before_the_first_is_the_first(browser: Client) -> None:
    store(identity(ALICE, "alice.example.com", at=ago(hours=1)))
    assert "alice.example.com" in page(browser, "/admin/indexer/actor/", p="-1")


def test_posts_show_their_authors_names_and_are_found_by_them(browser: Client) -> None:
    by_alice = post(ALICE, at=ago(minutes=3), text=HOSTILE, images=["a", ""])
    store(identity(ALICE, "alice.example.com", at=ago(hours=1)), by_alice, post(BOB, at=ago(minutes=2), text="hello"))
    text = page(browser, POSTS)
    assert cells(text, "who") == [BOB, f"@alice.example.com {ALICE}"]
    assert cells(text, "embeds") == ["", "2 images, 1 with alt text"]
    assert ESCAPED in text
    assert "<script>alert" not in text
    link = f"bsky.app/profile/alice.example.com/post/{by_alice.rkey}?x#y"
    pasted = ("\u202aalice.example.com\u202c", f"at://{ALICE}", "https://bsky.app/profile/Alice.example.com/", link)
    for query in ("alice.example.com", "@alice.example.com", ALICE, by_alice.uri, by_alice.rkey[:12], *pasted):
        assert f"@alice.example.com {ALICE}" in cells(page(browser, POSTS, q=query), "who"), query
    assert cells(page(browser, POSTS, q="alice.example.com"), "who") == [f"@alice.example.com {ALICE}"]
    assert cells(page(browser, POSTS, q="nobody.example.com"), "who") == []
    (href,) = set(re.findall(r'href="(/admin/indexer/post/[^"?]*/change/)', page(browser, POSTS, q=by_alice.uri)))
    row = page(browser, href)
    assert ESCAPED in row
    assert by_alice.uri in row


def test_floors_and_gaps_tell_times(browser: Client) -> None:
    store(floor(ALICE, at=T0))
    gap: dict[str, list[object]] = {
        "from_us": [T0],
        "to_us": [T0 + 3_723_000_000],
        "host": ["host"],
        "reason": ["clamped"],
    }
    door.insert("stream_gaps", gap, name="tests.gaps")
    moment = datetime.fromtimestamp(T0 // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    assert cells(page(browser, "/admin/indexer/repofloor/"), "until") == [moment]
    listed = page(browser, "/admin/indexer/streamgap/")
    assert (cells(listed, "begins"), cells(listed, "length")) == ([moment], ["1:02:03"])


def bury(*payloads: bytes, reason: DeadReason = DeadReason.BAD_RKEY, detail: str = "") -> list[str]:
    """Dead letters as the indexer writes them; their ids."""
    dead = [Dead(reason, detail, payload, T0) for payload in payloads]
    door.insert("dead_letters", records.dead_letters(dead, "host"), name="tests.dead_letters")
    return [records.dead_letter_id(letter) for letter in dead]


def living() -> list[str]:
    return [letter.id for letter in indexer_queries.dead_letters(after="", ids=(), reason="", limit=100)]


GOOD = frames.post(frames.did(1), "3mmoojp7etg2g", "hello", at=T0)


def test_a_dead_letter_shows_what_came_laid_out_and_escaped(browser: Client) -> None:
    (letter,) = bury(b'{"text":"<script>\xe2\x80\xae"}', detail=HOSTILE)
    text = page(browser, f"{LETTERS}{letter}/change/")
    assert "{\n  &quot;text&quot;: &quot;&lt;script&gt;\\u202e&quot;\n}" in text
    assert ESCAPED in text
    (broken,) = bury(b"\xff\xfe{")
    assert "\\xff\\xfe{" in page(browser, f"{LETTERS}{broken}/change/")


def test_one_letter_is_tried_again_from_its_page(browser: Client) -> None:
    (letter,) = bury(GOOD)
    assert "Try again" in page(browser, f"{LETTERS}{letter}/change/")
    assert browser.get(f"{LETTERS}{letter}/retry/").status_code == 302
    assert living() == [letter]
    response = browser.post(f"{LETTERS}{letter}/retry/", follow=True)
    assert "1 indexed, 0 skipped for good." in response.content.decode()
    assert living() == []


def test_ticked_letters_are_tried_again(browser: Client) -> None:
    ids = bury(GOOD, b"{")
    (other,) = bury(frames.post(frames.did(2), "3mmoojp7etg2g", "other", at=T0))
    assert 'name="_selected_action"' in page(browser, LETTERS)
    response = browser.post(LETTERS, {"action": "retry", "_selected_action": ids}, follow=True)
    assert "1 indexed, 0 skipped for good, 1 still dead: malformed." in response.content.decode()
    assert living() == sorted([ids[1], other])


def test_all_of_a_reason_are_tried_again_by_the_worker(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from atsite.celery import app

    monkeypatch.setitem(app.conf, "task_always_eager", True)
    bury(GOOD, reason=DeadReason.REFUSED)
    (kept,) = bury(frames.post(frames.did(2), "3mmoojp7etg2g", "other", at=T0))
    assert "reason: refused" in page(browser, f"{LETTERS}retry/")
    response = browser.post(f"{LETTERS}retry/", {"reason": "refused"}, follow=True)
    assert "The worker retries them" in response.content.decode()
    assert living() == [kept]
    assert browser.post(f"{LETTERS}retry/", {"reason": "nonsense"}).status_code == 200
    assert living() == [kept]


def test_why_a_letter_was_not_tried_again_is_said(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from indexer.tasks import retry_dead_letters

    def no_broker(**_: object) -> None:
        raise OperationalError

    (letter,) = bury(GOOD)
    monkeypatch.setattr("indexer.admin.dead_letters.CLICKHOUSE_WAIT_SECONDS", 0)
    monkeypatch.setattr(retry_dead_letters, "delay", no_broker)
    with clickhouse_away():
        browser.post(f"{LETTERS}{letter}/retry/")
    assert "Nothing was retried: " in page(browser, LETTERS)
    unsent = browser.post(f"{LETTERS}retry/", {"reason": ""}, follow=True)
    assert "The worker cannot be reached: Redis does not answer." in unsent.content.decode()
    assert living() == [letter]


def test_backfills_are_asked_for_again_from_their_list(browser: Client) -> None:
    for did in (ALICE, BOB):
        Backfill.objects.create(did=did, days=3, state=Backfill.State.FAILED, requested_at=datetime.now(UTC))
    chosen = [str(pk) for pk in Backfill.objects.values_list("pk", flat=True)]
    sent = {"action": "fetch_again", "_selected_action": chosen}
    said = browser.post("/admin/indexer/backfill/", sent, follow=True).content.decode()
    assert "The earlier posts of 2 accounts will be fetched in the next minutes." in said
    assert set(Backfill.objects.values_list("state", "days")) == {(Backfill.State.QUEUED, 3)}


def test_letters_are_listed_by_reason(browser: Client) -> None:
    (kept,) = bury(GOOD, reason=DeadReason.REFUSED)
    bury(b"{", reason=DeadReason.MALFORMED)
    assert cells(page(browser, LETTERS, reason__exact="refused"), "id")[-1:] == [kept]


@pytest.mark.parametrize("role", ["moderators", "viewers"])
def test_who_may_only_look_tries_nothing_again(role: str, login: Callable[..., Client]) -> None:
    (letter,) = bury(GOOD)
    watcher = login(role)
    assert "Try again" not in page(watcher, f"{LETTERS}{letter}/change/")
    assert watcher.post(f"{LETTERS}{letter}/retry/").status_code == 403
    assert watcher.post(f"{LETTERS}retry/", {"reason": ""}).status_code == 403
    watcher.post(LETTERS, {"action": "retry", "_selected_action": [letter]})
    assert living() == [letter]


def test_names_that_cannot_be_had_leave_the_lists_as_they_are(browser: Client) -> None:
    from indexer.admin.columns import names

    with clickhouse_away():
        assert names({ALICE}) == {}


def test_a_list_of_actors_that_clickhouse_cannot_tell_says_so(browser: Client) -> None:
    with clickhouse_away():
        answers = [browser.get(ACTORS, query) for query in ({}, {"q": "alice"}, {"q": "did:plc:a"})]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all("ClickHouse did not answer" in answer.content.decode() for answer in answers)
