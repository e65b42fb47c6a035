"""What a new site lacks, in the order in which one does it. Done steps disappear, and the list with the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse

from atsite.core.config import config
from atsite.core.roles import Right
from feeds.publishing.actions import PUBLISHED
from labels.models import ActorLabel, Label
from labels.uses import uses

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Of labels, in a sentence.
LABELS_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `url` is empty where it is done outside the admin; `permission` is what one needs to do it."""

    title: str
    how: str
    done: bool
    url: str = ""
    permission: str = ""


def open_steps(user: User | AnonymousUser) -> list[Step]:
    """The steps left, as far as this person may do them; nobody who may only look is told to act."""
    return [step for step in _steps() if not step.done and (not step.permission or user.has_perm(step.permission))]


def _steps() -> list[Step]:
    """Raises DatabaseError while `default` is away."""
    return [
        Step(
            "Say who publishes the feeds",
            "Set FEED_ACTOR_DID to the did of your account and SERVICE_ENDPOINT to the public https address of the feed"
            " generator, then start again.",
            bool(config.feed_actor_did and config.service_endpoint),
            permission="feeds.change_feeddefinition",
        ),
        Step(
            "Make a label",
            "A label marks accounts that belong together, such as the members of your community.",
            Label.objects.exists(),
            reverse("admin:labels_label_add"),
            "labels.add_label",
        ),
        Step(
            "Add the first member",
            f"Give an account {_a_label()}, by handle, did or the address of their profile.",
            ActorLabel.objects.exists(),
            reverse("admin:labels_actorlabel_add"),
            "labels.add_actorlabel",
        ),
        Step(
            "Make a feed for your community",
            "A feed of the kind “label” shows what the members of a label post: to everyone, or with the visibility"
            " “private” to its members only.",
            _members_have_a_feed(),
            f"{reverse('admin:feeds_feeddefinition_add')}?kind=label",
            "feeds.add_feeddefinition",
        ),
        Step(
            "Publish a feed",
            "Open a feed and its page “Publishing”: this writes the feed into the account that publishes, and apps find"
            " it from then on.",
            _a_feed_was_published(),
            reverse("admin:feeds_feeddefinition_changelist"),
            Right.PUBLISH_FEED.permission,
        ),
        Step(
            "Let a second person in",
            "So that the site does not depend on one person: add a user, tick “staff status” and choose a role.",
            _who_have_a_role() > 1,
            reverse("admin:auth_user_add"),
            "auth.add_user",
        ),
    ]


def _a_label() -> str:
    """The labels that there are, in words."""
    names = [f"“{name}”" for name in Label.objects.order_by("name").values_list("name", flat=True)]
    if len(names) < 2:
        return f"the label {names[0]}" if names else "a label"
    return f"one of the labels {', '.join(names[:LABELS_NAMED])}{', …' if len(names) > LABELS_NAMED else ''}"


def _members_have_a_feed() -> bool:
    """Whether a label that someone carries has a feed of its own; those that a site begins with have no members."""
    return bool(ActorLabel.objects.filter(label__in=list(uses())).exists())


def _a_feed_was_published() -> bool:
    """Whether someone published one from the admin. The demo has no account to publish to."""
    done = LogEntry.objects.filter(
        content_type__app_label="feeds", content_type__model="feeddefinition", change_message__startswith=PUBLISHED
    )
    return config.environment == "demo" or done.exists()


def _who_have_a_role() -> int:
    """How many may come in and do something: whatever role, of the site or made here."""
    staff = User.objects.filter(is_active=True, is_staff=True)
    return staff.filter(Q(is_superuser=True) | Q(groups__isnull=False)).distinct().count()
