"""Which actors the labels need (indexer.index.needed_actors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labels.models import ActorLabel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from atsite.core.atproto.syntax import Did


def labelled_actors() -> Iterable[Did]:
    """Everybody who carries a label, the latest change first. Read at once: asking takes a minute."""
    return list(ActorLabel.objects.order_by("-time_us").values_list("did", flat=True))
