"""What is done in the admin is written down: by whom, to which row, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from apikeys import keys
from apikeys.models import ApiKey, add_key
from atsite.core.atproto.syntax import Did
from feeds.models import FeedDefinition
from feeds.publishing.actions import Outcome
from indexer.index.models import Backfill, RefusedActor
from labels import bulk_changes, membership
from labels.models import ActorLabel, Block, BulkChange, Label
from search.cleanup.states import State
from tests import builders as b
from tests.feeds.kind_cases import PUBLISHER
from tests.search.cleanup.rows import job

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    Login = Callable[..., Client]

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("clickhouse", "valkey"),
]

POST = f"at://{b.ALICE}/app.bsky.feed.post/3laaaaaaaaaa2"


def written() -> list[tuple[str, str, str, str]]:
    """Each entry of the log: user, model, row and what, the oldest first."""
    return [
        (entry.user.get_username(), _model(entry), entry.object_repr, entry.get_change_message())
        for entry in LogEntry.objects.order_by("pk").select_related("user", "content_type")
    ]


def _model(entry: LogEntry) -> str:
    assert entry.content_type is not None
    return entry.content_type.model


def act(browser: Client, model: str, action: str, *rows: int) -> None:
    """Do an action of a list, and confirm it."""
    sent = {"action": action, "_selected_action": [str(pk) for pk in rows], "post": "yes"}
    assert browser.post(reverse(f"admin:{model}_changelist"), sent).status_code == 302


@pytest.fixture
def operator(login: Login) -> Client:
    return login("operators")


@pytest.fixture
def label() -> Label:
    return Label.objects.create(name="choir")


def test_each_action_on_a_key(operator: Client) -> None:
    first, second, third = (add_key(keys.mint(), note=note, scopes=["stats"]) for note in ("one", "two", "three"))
    page = f"/admin/apikeys/apikey/{first.pk}"
    operator.post(f"{page}/rotate/", {"overlap": "3600", "version": str(first.time_us)})
    operator.post(f"{page}/end-old-secret/")
    operator.post(f"{page}/revoke/")
    act(operator, "apikeys_apikey", "revoke", second.pk, third.pk)
    assert written() == [
        ("operators", "apikey", str(first), "Created a new secret. The old one keeps working for one hour."),
        ("operators", "apikey", str(first), "Ended the old secret."),
        ("operators", "apikey", str(first), "Revoked."),
        *[("operators", "apikey", str(key), "Revoked.") for key in (third, second)],
    ]
    by = ApiKey.history.order_by("-history_id").values_list("history_user__username", "key_id")[:5]
    assert list(by) == [("operators", key.key_id) for key in (second, third, first, first, first)]


def test_each_action_on_a_key_that_changes_nothing_is_not_written(operator: Client) -> None:
    key = add_key(keys.mint(), note="one", scopes=["stats"])
    key.revoke()
    operator.post(f"/admin/apikeys/apikey/{key.pk}/revoke/")
    act(operator, "apikeys_apikey", "revoke", key.pk)
    assert written() == []


def test_each_step_of_a_bulk_change(operator: Client, label: Label) -> None:
    def step(change: BulkChange, what: str) -> None:
        change.refresh_from_db()
        operator.post(
            reverse("admin:labels_bulkchange_change", args=(change.pk,)), {"do": what, "fence": str(change.fence)}
        )

    added, dropped = (
        bulk_changes.plan_for_dids(label, [Did(did)], giving=True, by="operators") for did in (b.ALICE, b.BOB)
    )
    for change in (added, dropped):
        operator.get(reverse("admin:labels_bulkchange_change", args=(change.pk,)))
    step(added, "confirm")
    step(dropped, "cancel")
    operator.get(reverse("admin:labels_bulkchange_change", args=(added.pk,)))
    assert membership.has_label(b.ALICE, "choir")
    step(added, "undo")
    step(added, "undo")  # once only
    failed = bulk_changes.plan_for_dids(label, [Did(b.CAROL)], giving=False, by="operators")
    BulkChange.objects.filter(pk=failed.pk).update(state=BulkChange.State.FAILED, next_at=None)
    step(failed, "retry")
    assert written() == [
        ("operators", "bulkchange", "choir for 1 line", "Confirmed: add."),
        ("operators", "bulkchange", "choir for 1 line", "Cancelled."),
        ("operators", "bulkchange", "choir for 1 line", "Undone."),
        ("operators", "bulkchange", "choir removed from 1 line", "Tried again."),
    ]


def test_what_is_done_to_a_member_and_its_records(operator: Client, label: Label) -> None:
    membership.assign("choir", b.ALICE, by="test")
    row = ActorLabel.objects.get()
    operator.post(f"/admin/labels/actorlabel/{row.pk}/delete/", {"post": "yes"})
    removed = ActorLabel.every.get()
    operator.post(f"/admin/labels/actorlabel/{row.pk}/restore/", {"version": str(removed.time_us)})
    operator.post(f"/admin/labels/actorlabel/actor/{b.ALICE}/fetch/")
    act(operator, "indexer_backfill", "fetch_again", Backfill.objects.get().pk)
    assert [entry[1:] for entry in written()] == [
        ("actorlabel", f"{b.ALICE} as choir", ""),
        ("actorlabel", f"{b.ALICE} as choir", "Restored the label."),
        ("backfill", str(Backfill.objects.get()), "Requested."),
        ("backfill", str(Backfill.objects.get()), "Requested again."),
    ]
    changes = ActorLabel.history.order_by("history_id").values_list("changed_by", "changed_via", "deleted")
    assert list(changes) == [
        ("test", "server", False),
        ("operators", "admin", True),
        ("operators", "undo", False),
    ]


def test_blocks_and_authors_that_are_not_indexed(operator: Client) -> None:
    feed = FeedDefinition.objects.create(rkey="ours", kind="top", display_name="Ours")
    page = f"/admin/feeds/feeddefinition/{feed.pk}"
    operator.post(f"{page}/block/?uri={POST}", {"what": "post", "where": "here", "note": ""})
    operator.post(f"{page}/block/?uri={POST}", {"what": "post", "where": "here", "note": ""})  # already blocked
    operator.post(f"{page}/block/?uri={POST}", {"what": "author", "where": "everywhere", "note": ""})
    operator.post(f"{page}/refuse/?uri={POST}", {"note": "asked us"})
    act(operator, "labels_block", "delete_selected", Block.objects.get(feed="ours").pk)
    operator.post(f"/admin/indexer/refusedactor/{RefusedActor.objects.get().pk}/delete/", {"post": "yes"})
    assert [entry[1:] for entry in written()] == [
        ("feeddefinition", str(feed), "The post is blocked in this feed from now on."),
        ("feeddefinition", str(feed), "The author is blocked in every feed and search from now on."),
        (
            "feeddefinition",
            str(feed),
            "From now on nothing by the author is shown or indexed. What was indexed before is being deleted.",
        ),
        ("block", f"{POST} in ours", ""),
        ("refusedactor", b.ALICE, ""),
    ]
    kept = RefusedActor.history.order_by("history_id").values_list("history_type", "history_user__username", "note")
    assert list(kept) == [("+", "operators", "asked us"), ("-", "operators", "asked us")]


def test_a_feed_that_is_published_and_no_attempt(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = FeedDefinition.objects.create(rkey="ours", kind="top", display_name="Ours")
    page = f"/admin/feeds/feeddefinition/{feed.pk}"
    outcomes = {
        "publish": Outcome("Published.", changed=True),
        "check": Outcome("Well."),
        "unpublish": Outcome("No.", wrong=True),
    }
    monkeypatch.setattr("feeds.admin.pages.actions.act", lambda row, action: outcomes[action])
    for action in outcomes:
        assert operator.post(f"{page}/publishing/", {"action": action}).status_code == 200
    assert written() == [("operators", "feeddefinition", str(feed), "Published.")]


def test_a_ranking_that_is_refreshed_and_none_that_stays_as_it_is(operator: Client) -> None:
    feed = FeedDefinition.objects.create(
        rkey="ours", kind="top", display_name="Ours", publisher=PUBLISHER, parameters={"min_likes": 1}
    )
    page = f"/admin/feeds/feeddefinition/{feed.pk}/refresh/"
    operator.post(page)
    assert written() == []
    post = b.post(b.ALICE, at=b.ago(minutes=30))
    b.store(post, b.like(b.BOB, post, at=b.ago(minutes=20)))
    operator.get(page)
    assert written() == []
    operator.post(page)
    assert written() == [("operators", "feeddefinition", str(feed), "Refreshed.")]


def test_each_clean_up_that_is_cancelled_or_tried_again(operator: Client) -> None:
    rows = [job(did, State.FAILED) for did in (b.ALICE, b.BOB, b.CAROL)]
    operator.post(f"/admin/cleanup/repocleanupjob/{rows[0].pk}/retry/")
    act(operator, "cleanup_repocleanupjob", "retry", rows[1].pk, rows[2].pk)
    act(operator, "cleanup_repocleanupjob", "cancel", rows[1].pk)
    assert sorted(entry[2:] for entry in written()) == sorted(
        [*[(str(row), "planning") for row in rows], (str(rows[1]), "cancelled")]
    )


def test_rows_that_are_added_changed_and_deleted_by_their_forms(operator: Client) -> None:
    operator.post("/admin/labels/label/add/", {"name": "choir", "meaning": "sings"})
    pk = Label.objects.get(name="choir").pk
    operator.post(f"/admin/labels/label/{pk}/change/", {"meaning": "sings well"})
    operator.post(f"/admin/labels/label/{pk}/delete/", {"post": "yes"})
    assert written() == [
        ("operators", "label", "choir", "Added."),
        ("operators", "label", "choir", "Changed Meaning."),
        ("operators", "label", "choir", ""),
    ]
    history = (
        Label.history.filter(name="choir")
        .order_by("history_id")
        .values_list("history_type", "history_user__username", "meaning")
    )
    assert list(history) == [
        ("+", "operators", "sings"),
        ("~", "operators", "sings well"),
        ("-", "operators", "sings well"),
    ]
