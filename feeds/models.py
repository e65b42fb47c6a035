"""The feeds of the site, edited in the admin. A change takes effect in every process within a second."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import DID_MAX, is_did, is_rkey
from atsite.core.copies.models import AnnouncedModel
from atsite.core.copies.visible_text import require_visible
from atsite.core.errors import InvalidSyntax
from atsite.core.jobs.graph import Graph
from atsite.core.jobs.models import Job
from feeds.definition_from_row import PRIVATE as MEMBERS_ONLY
from feeds.ranking.feed import LABEL, PostKey
from feeds.validation import validate_definition
from indexer.index.models.do_not_index import validate_did
from labels.models import ActorLabel

#: Room for an at-uri of a post: a did, the collection, a record key.
URI_MAX = DID_MAX + 600

#: Limits of the generator record (lexicon app.bsky.feed.generator), in characters; a PDS counts graphemes.
DISPLAY_NAME_MAX = 24
DESCRIPTION_MAX = 300


def validate_publisher(text: str) -> None:
    """Raises ValidationError if no account can have the did `text`."""
    if not is_did(text):
        raise ValidationError(
            "Enter the did of the account that publishes this feed, or leave this empty to use FEED_ACTOR_DID."
        )
    validate_did(text)


def validate_name(text: str) -> None:
    """Raises ValidationError if `text` is not a record key."""
    if not is_rkey(text):
        raise ValidationError(
            "Use only letters, digits and . _ : ~ -, such as whats-hot: it becomes the last part of an address."
        )


def validate_post(text: str) -> None:
    """Raises ValidationError if `text` is not the at-uri of a post, or no account can have its did."""
    try:
        post = PostKey.of(AtUri.parse(text))
    except InvalidSyntax as error:
        raise ValidationError("Enter the at-uri of a post: at://did/app.bsky.feed.post/rkey.") from error
    validate_did(post.did)


class FeedDefinition(AnnouncedModel):  # type: ignore[django-manager-missing]  # PinnedPost is below
    """One feed. Its kind defines what the parameters mean."""

    class Visibility(models.TextChoices):
        PUBLIC = "public", "everyone can read it"
        PRIVATE = MEMBERS_ONLY, "only members of its label can read it"

    publisher = models.CharField(
        max_length=DID_MAX,
        blank=True,
        validators=[validate_publisher],
        help_text="The did of the account that publishes this feed. Empty: FEED_ACTOR_DID.",
    )
    rkey = models.CharField(
        "name", max_length=512, validators=[validate_name], help_text="The record key: the last part of its address."
    )
    kind = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict, blank=True)
    display_name = models.CharField(max_length=DISPLAY_NAME_MAX)
    description = models.TextField(max_length=DESCRIPTION_MAX, blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC)
    pinned_post = models.CharField(max_length=URI_MAX, blank=True, validators=[validate_post])
    instructions_post = models.CharField(max_length=URI_MAX, blank=True, validators=[validate_post])
    enabled = models.BooleanField(default=True)
    waits_for_members = models.BooleanField(
        "switch on with the first member",
        default=False,
        help_text="While the feed is switched off: switch it on when its label gets a member.",
    )
    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publisher", "rkey"], name="feeds_feeddefinition_once")]
        ordering = ("rkey", "publisher")
        verbose_name = "feed"

    def __str__(self) -> str:
        return self.rkey

    def save(self, **options: Any) -> None:
        """As AnnouncedModel.save; also switches a feed on that waits for members of a label that has some."""
        if self.waits_for_members:
            self.enabled = self.enabled or ActorLabel.objects.filter(label_id=self.label).exists()
            self.waits_for_members = not self.enabled
            if options.get("update_fields") is not None:
                options["update_fields"] = {*options["update_fields"], "enabled", "waits_for_members"}
        super().save(**options)

    @property
    def label(self) -> str:
        """The label of its members; "" if it has none."""
        return str(self.parameters.get(LABEL) or "") if isinstance(self.parameters, dict) else ""

    def clean(self) -> None:
        """Raises ValidationError if the kind cannot make a feed from this row, or its texts cannot be seen."""
        require_visible(display_name=self.display_name, description=self.description)
        validate_definition(self, namesakes=type(self).objects.filter(rkey=self.rkey).exclude(pk=self.pk))


class Backtest(Job):
    """The last backtest of a feed, of which there is never more than one. feeds.backtests reads and writes it."""

    class State(models.TextChoices):
        QUEUED = "queued", "waits for a worker"
        RUNNING = "running", "is being counted"
        WAITING = "waiting", "will be tried again"
        DONE = "done", "counted"
        FAILED = "failed", "failed"

    graph = Graph(
        initial=State.QUEUED,
        moves={
            State.QUEUED: frozenset({State.RUNNING, State.FAILED}),
            State.RUNNING: frozenset({State.WAITING, State.DONE, State.FAILED}),
            State.WAITING: frozenset({State.RUNNING, State.FAILED}),
            State.DONE: frozenset(),
            State.FAILED: frozenset(),
        },
        claims={
            State.QUEUED: State.RUNNING,
            State.RUNNING: State.RUNNING,
            State.WAITING: State.RUNNING,
        },
        ended=frozenset({State.DONE, State.FAILED}),
        failed=State.FAILED,
        waiting=State.WAITING,
    )
    progress_fields = ("progress",)
    max_tries = 4

    feed = models.OneToOneField(FeedDefinition, models.CASCADE, related_name="backtest")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    requested_at = models.DateTimeField(default=timezone.now)
    #: The settings of the feed when it was asked for.
    parameters = models.JSONField(default=dict)
    #: The days counted so far: [day, posts, posts in the index], oldest first.
    progress = models.JSONField(default=list)
    #: Those of the last complete run, when it was complete, and the settings that it counted.
    result = models.JSONField(default=list)
    counted_at = models.DateTimeField(null=True)
    counted_for = models.JSONField(default=dict)

    class Meta(Job.Meta):
        ordering = ("-requested_at",)

    def __str__(self) -> str:
        return f"backtest of {self.feed}"


class PinnedPost(AnnouncedModel):
    """A post in the list of a static feed, ordered by position.

    Not the post that is pinned above a feed: that is FeedDefinition.pinned_post.
    """

    feed = models.ForeignKey(FeedDefinition, models.CASCADE, related_name="posts")
    position = models.IntegerField(default=0)
    uri = models.CharField("post", max_length=URI_MAX, validators=[validate_post])
    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "uri"], name="feeds_pinnedpost_once")]
        ordering = ("feed", "position", "id")
        verbose_name = "post of a static feed"
        verbose_name_plural = "posts of static feeds"

    def __str__(self) -> str:
        return self.uri
