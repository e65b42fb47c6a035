"""The setup steps of a new site, in order. Completed steps disappear, and the list with the last one."""

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

#: The most labels that a sentence names.
LABELS_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `url` is empty for a step outside the admin; `permission` is what a user needs for it."""

    title: str
    how: str
    done: bool
    url: str = ""
    permission: str = ""


def open_steps(user: User | AnonymousUser) -> list[Step]:
    """The steps left that this user has the permission to do."""
    return [step for step in _steps() if not step.done and (not step.permission or user.has_perm(step.permission))]


def _steps() -> list[Step]:
    """Raises DatabaseError while `default` is away."""
    return [
        Step(
            "Choose the account that publishes the feeds",
            "Set FEED_ACTOR_DID to the did of your account and SERVICE_ENDPOINT to the public https address of the feed"
            " generator, then restart.",
            bool(config.feed_actor_did and config.service_endpoint),
            permission="feeds.change_feeddefinition",
        ),
        Step(
            "Add a label",
            "A label marks accounts that belong together, such as the members of your community.",
            Label.objects.exists(),
            reverse("admin:labels_label_add"),
            "labels.add_label",
        ),
        Step(
            "Add the first member",
            f"Give an account {_a_label()}. Enter its handle, did or profile address.",
            ActorLabel.objects.exists(),
            reverse("admin:labels_actorlabel_add"),
            "labels.add_actorlabel",
        ),
        Step(
            "Add a feed for your community",
            "A feed of the kind “label” shows the posts of the members of a label: to everyone, or with the visibility"
            " “private” to its members only.",
            _members_have_a_feed(),
            f"{reverse('admin:feeds_feeddefinition_add')}?kind=label",
            "feeds.add_feeddefinition",
        ),
        Step(
            "Publish a feed",
            "Open a feed and its page “Publishing”. Publishing writes the feed to your account, so that apps can find"
            " it.",
            _a_feed_was_published(),
            reverse("admin:feeds_feeddefinition_changelist"),
            Right.PUBLISH_FEED.permission,
        ),
        Step(
            "Add a second person",
            "The site must not depend on one person: add a user, tick “staff status” and choose a role.",
            _who_have_a_role() > 1,
            reverse("admin:auth_user_add"),
            "auth.add_user",
        ),
    ]


def _a_label() -> str:
    """The existing labels, as part of a sentence."""
    names = [f"“{name}”" for name in Label.objects.order_by("name").values_list("name", flat=True)]
    if len(names) < 2:
        return f"the label {names[0]}" if names else "a label"
    return f"one of the labels {', '.join(names[:LABELS_NAMED])}{', …' if len(names) > LABELS_NAMED else ''}"


def _members_have_a_feed() -> bool:
    """Whether a label with members has a feed; the labels of a new site have no members."""
    return bool(ActorLabel.objects.filter(label__in=list(uses())).exists())


def _a_feed_was_published() -> bool:
    """Whether a feed was published from the admin; True in the demo, which has no account to publish to."""
    done = LogEntry.objects.filter(
        content_type__app_label="feeds", content_type__model="feeddefinition", change_message__startswith=PUBLISHED
    )
    return config.environment == "demo" or done.exists()


def _who_have_a_role() -> int:
    """How many active staff users are superusers or have a role."""
    staff = User.objects.filter(is_active=True, is_staff=True)
    return staff.filter(Q(is_superuser=True) | Q(groups__isnull=False)).distinct().count()
