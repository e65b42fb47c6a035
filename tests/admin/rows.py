"""A row of each model that the admin keeps in `default`, so that every page of a row can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User

from apikeys import keys
from apikeys.models import ApiKey, add_key
from feeds.models import FeedDefinition
from indexer.index.models import Backfill, RefusedActor
from labels.models import ActorLabel, Block, BulkChange, Label
from search.cleanup.models import CleanupAudit, RefusedAccount, RepoCleanupJob
from tests.search.cleanup.rows import job as cleanup_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

DID = "did:plc:miramiramiramiramiramira"


def _label(name: str) -> Label:
    return Label.objects.get_or_create(name=name)[0]


def _person() -> User:
    return User.objects.get_or_create(username="someone")[0]


#: How a row of each model is made.
MAKERS: dict[type[Model], Callable[[], Any]] = {
    Label: lambda: _label("a-mpls"),
    ActorLabel: lambda: ActorLabel.objects.create(label=_label("a-mpls"), did=DID),
    Block: lambda: Block.objects.create(subject=DID),
    BulkChange: lambda: BulkChange.objects.create(label=_label("a-mpls"), giving=True, created_by="someone"),
    Backfill: lambda: Backfill.objects.create(did="did:plc:noelnoelnoelnoelnoelnoel", days=30),
    ApiKey: lambda: add_key(keys.mint(), note="bot", scopes=["members"], feeds=["a-mpls"]),
    FeedDefinition: lambda: FeedDefinition.objects.create(
        rkey="first", kind="label", parameters={"label": "a-mpls"}, display_name="First"
    ),
    RefusedActor: lambda: RefusedActor.objects.create(did=DID),
    RepoCleanupJob: cleanup_job,
    RefusedAccount: lambda: RefusedAccount.objects.create(did=DID),
    CleanupAudit: lambda: CleanupAudit.objects.create(job_id="3laaaaaaaaaa2", did=DID, action="created", by="someone"),
    User: _person,
    Group: lambda: Group.objects.create(name="friends"),
    LogEntry: lambda: LogEntry.objects.create(user=_person(), action_flag=CHANGE, object_repr="something"),
}
