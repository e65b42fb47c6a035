"""Which feeds use which label, for the admin pages of labels (labels.uses)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse

from feeds.kinds import labels_of
from feeds.models import FeedDefinition
from labels.uses import LabelUse

if TYPE_CHECKING:
    from collections.abc import Iterator


def feeds_by_label() -> Iterator[LabelUse]:
    """Every feed that uses a label, enabled or not."""
    for row in FeedDefinition.objects.order_by("rkey"):
        for label in labels_of(row.kind, row.parameters) if isinstance(row.parameters, dict) else ():
            how = "members only" if row.visibility == FeedDefinition.Visibility.PRIVATE else "posts by its members"
            off = "off until it has a member" if row.waits_for_members else "switched off"
            yield LabelUse(label, row.rkey, _page(row), how if row.enabled else f"{how}, {off}")


def _page(row: FeedDefinition) -> str:
    """The URL of its admin page; "" in a process without the admin."""
    try:
        return reverse("admin:feeds_feeddefinition_change", args=(row.pk,))
    except NoReverseMatch:
        return ""
