"""What a new site lacks, in the order in which one does it. Done steps disappear, and the list with the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse

from atsite.config import config
from feeds.models import FeedDefinition
from labels.models import ActorLabel, Label

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


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
    someone_else = User.objects.filter(is_active=True, is_staff=True).filter(
        Q(is_superuser=True) | Q(groups__name="operators")
    )
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
            "A word for those who belong together, such as the members of your community.",
            Label.objects.exists(),
            reverse("admin:labels_label_add"),
            "labels.add_label",
        ),
        Step(
            "Add the first member",
            "Give somebody the label, by handle, did or the address of their profile.",
            ActorLabel.objects.exists(),
            reverse("admin:labels_actorlabel_add"),
            "labels.add_actorlabel",
        ),
        Step(
            "Make a feed for the label",
            "A feed of the kind “label” shows what its members post.",
            FeedDefinition.objects.filter(kind="label").exists(),
            reverse("admin:feeds_feeddefinition_add"),
            "feeds.add_feeddefinition",
        ),
        Step(
            "Let a second person in",
            "Whoever loses a password needs somebody who can give a new one. Tick “staff status” and choose a role.",
            someone_else.distinct().count() > 1,
            reverse("admin:auth_user_add"),
            "auth.add_user",
        ),
    ]
