"""The community of the demo, part by part, without the processes of a demo."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from apikeys.check import check
from apikeys.models import ApiKey
from atsite.core.atproto.syntax import Did
from atsite.core.config import config
from atsite.core.pds import Session
from atsite.core.web.auth import Scope
from atsite.management import demo_community
from atsite.management.commands.demo_community import variables
from atsite.management.demo_community import add_community, member_to_try
from atsite.management.running_demo import SKELETON, Demo, uri_of
from feeds.models import FeedDefinition, PinnedPost
from feeds.publishing.actions import Outcome
from feeds.usage.interactions import SEND
from indexer.index.models import RefusedActor
from indexer.simulator.demo import OWNER
from labels.account_lookup import Actor
from labels.models import ActorLabel, Block, Label
from search.cleanup.access import sessions
from search.cleanup.access.sign_in import SignedIn
from search.cleanup.models import CleanupAudit, RefusedAccount, RepoCleanupJob
from tests import builders as b
from tests.core.identity import network as networks
from tests.feeds.worlds import actor
from tests.labels.conftest import network
from tests.labels.people import RESOLVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from atsite.core.config import Config
    from search.cleanup.models import PdsSession
    from tests.core.identity.network import Network

__all__ = ["network"]

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

AUTHORS = [Actor(actor(number), f"a{number}.example.com") for number in range(100, 126)]
#: The last is switched on by its first member.
FEEDS = ("whats-hot", "bangers", "at-bangers", "a-mpls", "cl-tqsp")
SEARCH = "demo-search"
NAMES = list(demo_community.PARTS)


def posts_of(rkey: str) -> list[str]:
    return [b.post(AUTHORS[0].did, at=b.ago(hours=number + 1), text=rkey).uri for number in range(35)]


class Seen(Demo):
    """A demo whose feeds answer at once; keeps what it was asked."""

    calls: list[tuple[Any, ...]]
    pages: dict[str, list[str]]

    def __init__(self, site: Config) -> None:
        super().__init__(site)
        self.__dict__["authors"] = AUTHORS

    def call(self, method: str, path: str, *, body: object = None, **headers: str) -> dict[str, Any]:
        self.calls.append((method, path, body, headers))
        return {}

    def posts(self, rkey: str, **headers: str) -> list[str]:
        self.calls.append(("page", rkey, headers))
        return self.pages[rkey]

    def wait_until_served(self, *rkeys: str) -> None:
        self.calls.append(("wait", *rkeys))

    def token(self, handle: str, method: str) -> str:
        return f"Bearer {handle} {method}"


@pytest.fixture
def site(tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A site with the labels and feeds of the demo, whose network knows all authors."""
    get_user_model().objects.create_superuser("admin")
    Label.objects.all().delete()
    for name in ("mpls", "tqsp"):
        Label.objects.create(name=name, meaning=name)
    if not FeedDefinition.objects.exists():  # the test before emptied the database
        import_module("feeds.migrations.0104_first_feeds").add(apps, None)
    FeedDefinition.objects.exclude(rkey__in=FEEDS).update(enabled=False)
    FeedDefinition.objects.filter(rkey__in=FEEDS).update(enabled=True)
    for each in AUTHORS:
        network.answers[f"/{each.did}"] = networks.document(each.did, each.handle)
        network.answers[f"{RESOLVE}{each.handle}"] = {"did": each.did}
    Seen.calls, Seen.pages = [], {rkey: posts_of(rkey) for rkey in (*FEEDS, SEARCH)}
    monkeypatch.setattr(demo_community, "Demo", Seen)
    monkeypatch.setattr(demo_community, "act", lambda feed, action: Outcome(f"{action} {feed.rkey}"))
    monkeypatch.setattr(demo_community, "signed_in_for", owner_signs_in)
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: Seen.calls.append(("task", name, options)))
    return dataclasses.replace(config, data_dir=tmp_path, environment="demo")


@contextmanager
def owner_signs_in(identifier: str, app_password: str, *, address: str) -> Iterator[tuple[SignedIn, PdsSession]]:
    """A sign-in of the demo's account, without its PDS (tests/supervision/test_first_contact.py has it)."""
    assert (identifier, app_password, address) == ("olive.demo.test", "demo-demo-demo-demo", "127.0.0.1")
    session = Session(did=Did(OWNER), handle=identifier, access_token="access", refresh_token="refresh")
    row = sessions.store(session, "https://pds.example", expires_at=timezone.now() + timedelta(minutes=1))
    yield SignedIn(session, "https://pds.example", identifier), row


def done(site: Config) -> list[str]:
    """The parts that no later start adds again."""
    names: list[str] = json.loads((site.data_dir / "demo_community.json").read_text())
    return names


def test_everything_is_added_once(site: Config) -> None:
    said: list[str] = []
    add_community(site, said.append)
    assert (said, done(site)) == ([], NAMES)
    tasks = Seen.calls[-len(demo_community.TASKS) :]
    assert tasks == [("task", name, {"countdown": 3, "retry": False}) for name in demo_community.TASKS]
    Seen.calls = []
    add_community(site, said.append)
    assert (said, Seen.calls) == ([], tasks)


def test_members_are_added_one_by_one_and_as_a_list(site: Config) -> None:
    demo = Seen(site)
    demo_community.add_private_members(demo)
    demo_community.add_public_members(demo)
    rows = {row.did: (row.label_id, row.note, row.created_by, row.changed_via) for row in ActorLabel.objects.all()}
    founders = {each.did: ("mpls", "A founder.", "admin", "admin") for each in AUTHORS[:2]}
    others = {each.did: ("mpls", "From the first list.", "admin", "bulk") for each in AUTHORS[2:12]}
    public = {each.did: ("tqsp", "", "admin", "admin") for each in AUTHORS[12:22]}
    assert rows == founders | others | public
    assert member_to_try() in {each.handle for each in AUTHORS[:12]}


def test_without_a_member_there_is_none_to_try(site: Config) -> None:
    assert member_to_try() == ""


def test_posts_of_the_first_page_are_listed(site: Config) -> None:
    posts = Seen.pages["whats-hot"]
    listed = FeedDefinition.objects.get(rkey="bangers")
    PinnedPost.objects.create(feed=listed, position=7, uri=posts[0])
    demo_community.list_bangers(Seen(site))
    found = PinnedPost.objects.filter(feed__rkey="bangers").values_list("position", "uri")
    assert set(found) == {(7, posts[0]), *((n, uri) for n, uri in enumerate(posts[:15], 1) if n > 1)}
    other = PinnedPost.objects.filter(feed__rkey="at-bangers").values_list("position", "uri")
    assert list(other) == list(enumerate(posts[15:30], 1))
    assert said() == [("at-bangers", "Posts added to the list."), ("bangers", "Posts added to the list.")]


def said() -> list[tuple[str, str]]:
    """The log of the admin: on what, and what."""
    rkeys = {str(feed.pk): feed.rkey for feed in FeedDefinition.objects.all()}
    entries = LogEntry.objects.filter(user__username="admin").select_related("content_type")
    feeds = {entry.pk for entry in entries if entry.content_type and entry.content_type.model == "feeddefinition"}
    return sorted(
        (rkeys.get(entry.object_id or "", "") if entry.pk in feeds else "", entry.change_message) for entry in entries
    )


def test_a_feed_made_of_a_search_is_added_and_counted(site: Config) -> None:
    demo_community.add_search_feed(Seen(site))
    feed = FeedDefinition.objects.get(rkey=SEARCH)
    assert (feed.kind, feed.backtest.state, said()) == ("search", "queued", [(SEARCH, "Added.")])


def test_what_publishing_says_is_wrong_is_said(site: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    demo_community.publish(Seen(site))
    monkeypatch.setattr(demo_community, "act", lambda feed, action: Outcome(f"no {feed.rkey}", wrong=True))
    told: list[str] = []
    add_community(site, told.append)
    assert told == ["published feed: no whats-hot"]
    assert done(site) == [name for name in NAMES if name != "published feed"]


def test_the_key_of_the_bot_is_kept_and_used(site: Config) -> None:
    demo = Seen(site)
    demo_community.add_key_of_bot(demo)
    kept = site.data_dir / "demo_api_key"
    assert kept.stat().st_mode & 0o777 == 0o600
    key = kept.read_text().strip()
    assert check(key).scopes == {Scope.MEMBERS, Scope.STATS}
    row = ApiKey.objects.get()
    assert (row.feeds, row.note, row.user) == (
        ["a-mpls"],
        "The bot that adds members",
        get_user_model().objects.get(),
    )
    assert said() == [("", "Added.")]
    demo_community.use_key(demo)
    path = f"/assign_user_to_feed?feedName=a-mpls&handle={AUTHORS[22].handle}"
    assert Seen.calls == [("PUT", path, None, {"X-API-Key": key})]


def test_authors_and_a_post_are_blocked(site: Config) -> None:
    demo = Seen(site)
    demo_community.block(demo)
    demo_community.do_not_index(demo)
    assert set(Block.objects.values_list("subject", "feed", "created_by", "note")) == {
        (AUTHORS[23].did, "whats-hot", "admin", "Too many adverts for this feed."),
        (Seen.pages["whats-hot"][-1], "", "admin", "Reported by readers."),
        (AUTHORS[24].did, "", "admin", "The owner asked for it."),
    }
    assert list(RefusedActor.objects.values_list("did", "created_by")) == [(AUTHORS[24].did, "admin")]


def test_a_clean_up_shows_its_plan_and_another_account_is_refused(site: Config) -> None:
    demo = Seen(site)
    demo_community.plan_clean_up(demo)
    job = RepoCleanupJob.objects.get()
    assert (job.did, job.handle, job.permitted, job.requested_by) == (OWNER, "olive.demo.test", False, "the demo")
    assert job.rules["delete_until_days_ago"] == 365
    assert CleanupAudit.objects.get().action == "created (delete)"
    demo_community.refuse_clean_ups(demo)
    refused = RefusedAccount.objects.get()
    assert (refused.did, refused.created_by) == (AUTHORS[25].did, "admin")
    assert refused.note == "A shared account: ask all its owners first."
    assert said() == [("", "Clean-ups of this account refused.")]


def test_the_private_feed_shows_others_a_post_of_a_member(site: Config) -> None:
    demo_community.set_instructions(Seen(site))
    assert FeedDefinition.objects.get(rkey="a-mpls").instructions_post == Seen.pages["a-mpls"][-1]
    token = {"Authorization": f"Bearer {AUTHORS[0].handle} {SKELETON}"}
    assert Seen.calls == [("wait", "a-mpls"), ("page", "a-mpls", token)]
    assert said() == [("a-mpls", "Instructions post chosen.")]


def test_members_read_every_feed_and_report_what_they_did(site: Config) -> None:
    Seen.pages["bangers"] = []
    demo_community.read_as_members(Seen(site))
    (_, *waited), *calls = Seen.calls
    assert set(waited) == set(FEEDS)
    expected: list[tuple[Any, ...]] = []
    events = ("interactionSeen", "clickthroughItem", "interactionLike", "requestMore")
    for each in AUTHORS[:5]:
        for rkey in waited:
            expected.append(("page", rkey, {"Authorization": f"Bearer {each.handle} {SKELETON}"}))
            reported = [
                {"item": uri, "event": f"app.bsky.feed.defs#{event}"}
                for uri, event in zip(Seen.pages[rkey], events, strict=False)
            ]
            sent = {"feed": uri_of(rkey), "interactions": reported}
            if reported:
                expected.append(("POST", f"/xrpc/{SEND}", sent, {"Authorization": f"Bearer {each.handle} {SEND}"}))
    assert calls == expected


def test_what_an_operator_deleted_is_not_asked_for_again(site: Config) -> None:
    FeedDefinition.objects.filter(rkey="bangers").delete()
    told: list[str] = []
    add_community(site, told.append)
    assert (told, done(site)) == ([], NAMES)


def test_a_part_that_fails_is_tried_again_by_the_next_start(site: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(demo: Demo) -> None:
        raise OSError("no space")

    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setitem(demo_community.PARTS, "blocks", full)
        add_community(site, told.append)
    assert told == ["blocks: no space"]
    assert done(site) == [name for name in NAMES if name != "blocks"]
    add_community(site, told.append)
    assert (told, sorted(done(site))) == (["blocks: no space"], sorted(NAMES))


def test_the_command_adds_it_and_names_a_member(site: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match=r"^ATSITE_ENVIRONMENT=test is set: only the demo has a made-up community$"):
        call_command("demo_community")
    monkeypatch.setattr("atsite.management.commands.demo_community.config", site)
    call_command("demo_community", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first == "  Read the private feed of the community as one of its members:"
    command = f"    DATA_DIR={site.data_dir} .venv/bin/python manage.py viewer_token {member_to_try()} --feed a-mpls"
    assert second == command
    assert done(site) == NAMES


def test_the_usual_folder_needs_no_name(site: Config) -> None:
    from atsite.core.config import usual_data_dir

    assert variables(dataclasses.replace(site, data_dir=usual_data_dir("demo"))) == ""
    assert variables(dataclasses.replace(site, data_dir=site.data_dir / "a b")) == f"DATA_DIR='{site.data_dir}/a b' "
