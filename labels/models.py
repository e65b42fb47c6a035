"""Labels of actors, blocks of actors and posts, bulk changes, and the copy of labels in ClickHouse."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from clickhouse_backend.models import DateTime64Field, StringField, UInt8Field, UInt64Field
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import DID_MAX, Did, is_did, is_rkey
from atsite.core.clickhouse.models import ReadModel
from atsite.core.copies import outcome, versions
from atsite.core.copies.models import AnnouncedModel, Cached, CopiedModel
from atsite.core.copies.redis_cache import Entry, VersionedCache
from atsite.core.copies.visible_text import require_visible
from atsite.core.errors import InvalidSyntax
from atsite.core.jobs.graph import Graph
from atsite.core.jobs.models import Job
from atsite.core.kv.announce import announce
from atsite.core.routers import DEFAULT
from indexer.index.models.do_not_index import validate_did as validate_did
from labels import backfills, change_author, label_versions
from labels.change_author import Via
from labels.uses import uses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The task that fetches the signing keys of new members (labels/tasks.py).
FETCH_KEYS: Final = "labels.tasks.fetch_member_keys"
LABEL_MAX = 64
#: Which actors have which label; this decides who can read a private feed (labels.membership).
MEMBERSHIPS = VersionedCache("memberships")


class PublishedLabel(ReadModel):
    """The copy of ActorLabel in ClickHouse; `time_us` is its version."""

    pk = models.CompositePrimaryKey("label", "did")
    label = StringField(low_cardinality=True)
    did = StringField()
    note = StringField()
    created_by = StringField()
    created_at = DateTime64Field(precision=6)
    time_us = UInt64Field()
    deleted = UInt8Field()

    class Meta(ReadModel.Meta):
        db_table = "actor_labels"


def validate_subject(text: str) -> None:
    """Raises ValidationError if `text` is neither a did nor the at-uri of a record, or no account can have its did."""
    if is_did(text):
        validate_did(text)
        return
    try:
        uri = AtUri.parse(text)
    except InvalidSyntax as error:
        raise ValidationError("Enter a did, or the at-uri of a post: at://did/collection/rkey.") from error
    validate_did(uri.did)


def validate_feed(text: str) -> None:
    """Raises ValidationError if `text` is not a record key."""
    if not is_rkey(text):
        raise ValidationError("Enter the record key of a feed, such as whats-hot.")


class Label(models.Model):
    """The name of a group of actors, such as the members of a community."""

    name = models.SlugField(
        max_length=LABEL_MAX, unique=True, help_text="Short and permanent: feeds refer to the label by this name."
    )
    meaning = models.TextField(blank=True, help_text="Who gets this label, and what it gives access to.")
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError if its meaning cannot be seen."""
        require_visible(meaning=self.meaning)

    def why_it_stays(self) -> str:
        """What uses it, and what to do before it can be deleted; "" if nothing does. API keys refer to the feed."""
        members = ActorLabel.objects.filter(label=self).count()
        feeds = [use.name for use in uses().get(self.name, ())]
        going_on = BulkChange.objects.filter(label=self).exclude(state__in=BulkChange.graph.ended).exists()
        used_by, to_do = [], []
        if members:
            used_by.append("1 member" if members == 1 else f"{members:,} members")
            to_do.append("remove its members")
        if feeds:
            used_by.append(f"the feed{'s' if len(feeds) > 1 else ''} {', '.join(feeds)}")
            to_do.append("delete its feeds or give them another label")
        if going_on:
            used_by.append("a bulk change that has not ended")
            to_do.append("apply or cancel the bulk change")
        if not used_by:
            return ""
        return f"The label {self.name} is in use: {'; '.join(used_by)}. Before you delete it, {', and '.join(to_do)}."

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete a label that is not used, with its former members and its bulk changes; their history stays.

        The copy in ClickHouse keeps the former members, as deleted. Raises ProtectedError if the label is used.
        """
        with transaction.atomic(using=DEFAULT):
            versions.lock()  # before the members are looked for, so that none is added meanwhile
            if reason := self.why_it_stays():
                raise models.ProtectedError(reason, {self})
            for model in (BulkChange, ActorLabel):
                rows: models.QuerySet[Any] = models.QuerySet(model).using(DEFAULT).filter(label=self)
                rows._raw_delete(using=DEFAULT)  # past the rules of CopiedModel
            return super().delete(using, keep_parents)


class ActorLabel(CopiedModel):
    """An actor's label: who added it, and when. There is one row for each pair, also after the label was removed."""

    label = models.ForeignKey(Label, models.PROTECT, to_field="name", db_column="label")
    did = models.CharField(max_length=DID_MAX, validators=[validate_did])
    note = models.TextField(blank=True)
    #: The admin's user name, or the id of the API key.
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    #: Who made the last change, and from where; each entry of the history has its own.
    changed_by = models.CharField(max_length=150, blank=True, editable=False)
    changed_via = models.CharField(max_length=16, choices=Via.choices, default=Via.SERVER, editable=False)
    history = HistoricalRecords(excluded_fields=["published_us"])

    #: "@" and the handle, set by admin pages that know it; not stored.
    called = ""

    copy = PublishedLabel
    copied = {
        "label": "label_id",
        "did": "did",
        "note": "note",
        "created_by": "created_by",
        "created_at": "created_at",
    }
    natural_key = ("label_id", "did")

    class Meta(CopiedModel.Meta):
        constraints = [models.UniqueConstraint(fields=["label", "did"], name="labels_actorlabel_once")]
        ordering = ("label_id", "did")
        verbose_name = "member"

    def __str__(self) -> str:
        return f"{self.called or self.did} as {self.label_id}"

    def save(self, **options: Any) -> None:
        """As CopiedModel.save; also requests a backfill and the signing key of a new member."""
        author = change_author.current()
        self.changed_by, self.changed_via = author.name, author.via
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], "changed_by", "changed_via"}
        adding = self._state.adding
        with transaction.atomic(using=DEFAULT):
            super().save(**options)
            if adding:
                others = type(self).objects.filter(did=self.did).exclude(pk=self.pk)
                backfills.request(Did(self.did), after_us=self.time_us, has_other_labels=others.exists())
                transaction.on_commit(partial(announce, FETCH_KEYS), using=DEFAULT, robust=True)

    @classmethod
    def copies_written(cls, rows: Sequence[Mapping[str, object]]) -> None:
        if not label_versions.change({str(row["label"]) for row in rows}):
            outcome.tell(outcome.CACHE_LATE)

    def cached(self) -> Cached:
        entry = Entry(self.time_us, None if self.deleted else "")
        return Cached(MEMBERSHIPS, membership_key(self.label_id, self.did), entry)


def membership_key(label: str, did: str) -> str:
    """The key of the pair in MEMBERSHIPS."""
    return f"{label}:{did}"  # no label has a colon


class Block(AnnouncedModel):
    """An actor, or a single post, that is blocked in a feed or everywhere."""

    subject = models.CharField(
        max_length=DID_MAX + 1024, validators=[validate_subject], help_text="A did or an at-uri."
    )
    feed = models.CharField(
        max_length=512,
        blank=True,
        validators=[validate_feed],
        help_text="The record key of one feed. Empty: everywhere.",
    )
    note = models.TextField(blank=True)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "feed"], name="labels_block_once")]
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.subject} in {self.feed}" if self.feed else self.subject


class BulkChange(Job):
    """A bulk change: a label added to, or removed from, many actors (labels.bulk_changes)."""

    class State(models.TextChoices):
        FINDING = "finding", "looking up the actors"
        READY = "ready", "waiting for your confirmation"
        APPLYING = "applying", "in progress"
        DONE = "done", "done"
        CANCELLED = "cancelled", "cancelled"
        FAILED = "failed", "failed"

    graph = Graph(
        initial=State.FINDING,
        moves={
            State.FINDING: frozenset({State.READY, State.CANCELLED, State.FAILED}),
            State.READY: frozenset({State.FINDING, State.APPLYING, State.CANCELLED}),
            State.APPLYING: frozenset({State.DONE, State.CANCELLED, State.FAILED}),
            State.DONE: frozenset(),
            State.CANCELLED: frozenset(),
            State.FAILED: frozenset({State.FINDING, State.APPLYING}),
        },
        claims={State.FINDING: State.FINDING, State.APPLYING: State.APPLYING},
        ended=frozenset({State.DONE, State.CANCELLED, State.FAILED}),
        failed=State.FAILED,
        cancelled=State.CANCELLED,
    )
    progress_fields = ("lines",)
    lease_time = timedelta(minutes=1)
    #: The task continues a confirmed change that no page has worked on for this long.
    abandoned = timedelta(minutes=1)

    label = models.ForeignKey(Label, models.PROTECT, to_field="name", db_column="label")
    giving = models.BooleanField("adds the label")
    note = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.FINDING)
    #: labels.bulk_plan.Line, each as a dict.
    lines = models.JSONField(default=list)
    #: As in Job, for a confirmed change. Before that, only its page works on it.
    next_at = models.DateTimeField("continues at", null=True, blank=True)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")

    class Meta(Job.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        lines = f"{len(self.lines)} line{'' if len(self.lines) == 1 else 's'}"
        return f"{self.label_id} {'for' if self.giving else 'removed from'} {lines}"

    def due_in(self, state: str, now: datetime) -> datetime | None:
        """Due once confirmed, and after the time in which its page would have worked on it."""
        return now + self.abandoned if state == self.State.APPLYING else None
