"""The actors that labels need in the index (indexer.index.needed_actors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labels.models import ActorLabel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from atsite.core.atproto.syntax import Did


def labelled_actors() -> Iterable[Did]:
    """All actors with a label, the latest change first. A list, because the caller takes a minute to go through it."""
    return list(ActorLabel.objects.order_by("-time_us").values_list("did", flat=True))
