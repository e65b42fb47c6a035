"""The start page: numbers for who may see them, first steps for who may take them, and stores that are away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User

from atsite import task_runs
from atsite.celery import BEAT, app
from atsite.core.config import config
from atsite.core.kv import quick
from atsite.dashboard import empty_lists, read_numbers, setup_checklist
from feeds.models import FeedDefinition
from feeds.publishing.actions import PUBLISHED
from indexer.index.checkpoint import Checkpoint
from indexer.index.stream_state import Condition, StreamState
from indexer.stream import checkpoint_store
from indexer.stream.state_reports import KEY
from labels.models import ActorLabel, Label
from search.cleanup.models import CleanupSwitch
from search.cleanup.states import State as CleanupState
from tests.away import clickhouse_away, redis_away
from tests.builders import ALICE, ago, post, store
from tests.search.cleanup.rows import job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No reading of an earlier test."""
    read_numbers._reads.cache_clear()
    yield
    read_numbers._reads.cache_clear()


def states(browser: Client) -> dict[str, str]:
    return {tile["key"]: tile["state"] for tile in browser.get("/admin/").context["overview"]["tiles"]}


def test_the_page_shows_what_the_stores_say(
    clickhouse: None, valkey: redis.Redis, login: Callable[..., Client]
) -> None:
    now = datetime.now(UTC)
    micros = int(now.timestamp() * 1e6)
    saved = Checkpoint(host="h", protocol="p", cursor=micros, time_us=micros, safe_cursor=micros, acked_at=micros)
    valkey.set(checkpoint_store.KEY, saved.encode())
    task_runs.note("feeds.refresh_feeds", task_runs.Run(now, 1.5, "succeeded"))
    store(*(post(ALICE, at=now, text=f"{number} words " * 50) for number in range(50)))  # the largest tables are listed
    response = login("viewers").get("/admin/")
    assert response.status_code == 200
    overview = response.context["overview"]
    found = {tile["key"]: tile["state"] for tile in overview["tiles"]}
    assert {name: found[name] for name in ("lag", "gaps", "dead_letters", "worker")} == dict.fromkeys(
        ("lag", "gaps", "dead_letters", "worker"), "ok"
    )
    refreshed = next(task for task in overview["tasks"] if task["key"] == "refresh the feeds")
    assert (refreshed["state"], refreshed["took"]) == ("ok", "1.5 s")
    assert "repo_records" in {table["key"] for table in overview["tables"]}
    assert "Refresh the feeds" in response.content.decode()


def test_the_page_names_the_host_that_is_away_why_and_since_when(
    clickhouse: None, valkey: redis.Redis, login: Callable[..., Client]
) -> None:
    now = datetime.now(UTC).timestamp()
    lost = StreamState("jetstream.example", Condition.LOST, since=now - 60, reason="it refuses connections", at=now)
    valkey.set(KEY, lost.encode())
    sentence = lost.problem(now)
    assert sentence.startswith("no connection to jetstream.example since ")
    response = login("viewers").get("/admin/")
    tile = next(tile for tile in response.context["overview"]["tiles"] if tile["key"] == "lag")
    assert (tile["state"], tile["detail"]) == ("act", sentence)
    assert sentence in response.content.decode()
    valkey.set(KEY, b"not a report")
    read_numbers._reads.cache_clear()
    assert "jetstream.example" not in login("operators").get("/admin/").content.decode()
    valkey.delete(KEY)


def test_clean_ups_that_failed_this_week_and_a_pause_are_worth_a_look(
    clickhouse: None, valkey: redis.Redis, login: Callable[..., Client]
) -> None:
    browser = login("viewers")

    def tile() -> tuple[str, str, str]:
        read_numbers._reads.cache_clear()
        found = next(tile for tile in browser.get("/admin/").context["overview"]["tiles"] if tile["key"] == "cleanups")
        assert found["url"] == "/admin/cleanup/repocleanupjob/"
        return found["state"], found["value"], found["detail"]

    assert tile() == ("ok", "none", "0 not ended; none failed this week")
    job("did:plc:miramiramiramiramiramira", CleanupState.RUNNING)
    job("did:plc:noelnoelnoelnoelnoelnoel", CleanupState.FAILED, finished_at=ago(days=8))
    assert tile() == ("ok", "1 active", "1 not ended; none failed this week")
    job("did:plc:noelnoelnoelnoelnoelnoel", CleanupState.FAILED, finished_at=ago(days=6))
    assert tile() == ("look", "1 failed", "1 not ended; 1 failed this week")
    CleanupSwitch.objects.create(paused=True, changed_by="mira", changed_at=ago(hours=5))
    assert tile() == ("look", "paused", "by mira, 5 h ago; 1 not ended; 1 failed this week")


def test_without_a_role_there_are_no_numbers(login: Callable[..., Client]) -> None:
    response = login().get("/admin/")
    assert "overview" not in response.context
    assert "You have no role yet" in response.content.decode()
    assert "repo_records" not in response.content.decode()


def test_redis_that_is_away_is_shown_as_away(clickhouse: None, login: Callable[..., Client]) -> None:
    browser = login("viewers")
    with redis_away():
        found = states(browser)
    assert (found["redis"], found["worker"], found["feed_use"], found["gaps"]) == ("act", "act", "act", "ok")


def test_clickhouse_that_is_away_is_shown_as_away(valkey: redis.Redis, login: Callable[..., Client]) -> None:
    browser = login("viewers")
    with clickhouse_away():
        found = states(browser)
    assert (found["clickhouse"], found["events"], found["lag"], found["default"]) == ("act", "act", "act", "ok")


def test_a_task_that_ran_is_noted_with_its_outcome(valkey: redis.Redis) -> None:
    @app.task(name="tests.noted")
    def noted() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        noted()
    assert task_runs.last_runs()["tests.noted"].outcome == "failed"
    with redis_away():
        with pytest.raises(LookupError):
            noted()
        with pytest.raises(quick.RedisAway):
            task_runs.last_runs()


def test_waiting_tasks_are_counted_where_celery_keeps_them(valkey: redis.Redis) -> None:
    before = read_numbers._queue()
    with app.connection_for_write() as connection:
        app.send_task("tests.nobody_runs_it", connection=connection)
    assert (before, read_numbers._queue()) == (0, 1)
    assert len(BEAT) == len(read_numbers._schedule())


def test_the_first_steps_disappear_one_by_one(login: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    browser = login("superuser")
    for model in (ActorLabel, Label, FeedDefinition):
        model.objects.all().delete()

    def titles() -> list[str]:
        return [step.title for step in browser.get("/admin/").context["steps"]]

    everything = titles()
    assert everything[0] == "Choose the account that publishes the feeds"
    assert len(everything) == 6
    named = replace(config, feed_actor_did="did:plc:" + "m" * 24, service_endpoint="https://feeds.example.com")
    monkeypatch.setattr(setup_checklist, "config", named)
    done: list[Callable[[], Any]] = [
        lambda: Label.objects.create(name="a-mpls"),
        lambda: ActorLabel.objects.create(label=Label.objects.get(), did="did:plc:miramiramiramiramiramira"),
        lambda: FeedDefinition.objects.create(
            rkey="members", kind="label", parameters={"label": "a-mpls"}, display_name="Members"
        ),
        lambda: LogEntry.objects.log_actions(
            User.objects.get().pk, FeedDefinition.objects.all(), CHANGE, PUBLISHED, single_object=True
        ),
        lambda: User.objects.create_user("second", is_staff=True).groups.add(Group.objects.create(name="by hand")),
    ]
    for number, step in enumerate(done, start=1):
        assert titles() == everything[number:]
        step()
    assert titles() == []
    assert "First steps" not in browser.get("/admin/").content.decode()


def test_the_first_steps_name_the_labels_that_there_are(login: Callable[..., Client]) -> None:
    browser = login("superuser")
    for model in (ActorLabel, Label, FeedDefinition):
        model.objects.all().delete()

    def member_step() -> str:
        steps = {step.title: step.how for step in browser.get("/admin/").context["steps"]}
        return str(steps["Add the first member"]).partition(" to an account")[0]

    assert member_step() == "Give a label"
    Label.objects.create(name="choir")
    assert member_step() == "Give the label “choir”"
    for name in ("dance", "guests", "mpls"):
        Label.objects.create(name=name)
    assert "one of the labels “choir”, “dance”, “guests”, … to an account" in browser.get("/admin/").content.decode()


def test_who_may_only_look_is_not_told_to_act(login: Callable[..., Client]) -> None:
    assert login("viewers").get("/admin/").context["steps"] == []


def test_an_empty_list_says_what_to_do_first(clickhouse: None, login: Callable[..., Client]) -> None:
    operator = login("operators")
    Label.objects.all().delete()
    page = operator.get("/admin/labels/label/").content.decode()
    assert empty_lists.FIRST_STEPS["labels.label"] in page
    assert 'href="/admin/labels/label/add/' in page
    assert empty_lists.UNTIL_INDEXED in operator.get("/admin/indexer/like/").content.decode()
    searched = operator.get("/admin/labels/label/", {"q": "nothing"}).content.decode()
    assert "Nothing matches" in searched


def test_the_search_of_the_sidebar_finds_pages_that_one_may_see(login: Callable[..., Client]) -> None:
    with redis_away():
        found = login("viewers").get("/admin/search/", {"s": "label", "extended": "1"}).content.decode()
    assert 'href="/admin/labels/label/"' in found
    assert "auth/user" not in login("moderators").get("/admin/search/", {"s": "people"}).content.decode()
