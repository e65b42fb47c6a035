"""Switches a feed on when its label gets its first member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.models import FeedDefinition

if TYPE_CHECKING:
    from labels.models import ActorLabel


def switch_on(sender: type[ActorLabel], instance: ActorLabel, **_: Any) -> None:
    """Receives post_save of a member, in its transaction. Raises DatabaseError."""
    if instance.deleted:
        return
    for row in FeedDefinition.objects.filter(waits_for_members=True):
        if row.label == instance.label_id:
            row.save()  # it finds the member
