"""Names of actors for pages of the admin, which are shown without them while ClickHouse is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.contrib import messages

from atsite.clickhouse.errors import ClickHouseError
from labels import queries

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest

    from labels.queries import KnownActor

log = structlog.get_logger(__name__)


def known_to(request: HttpRequest, dids: Collection[str]) -> dict[str, KnownActor]:
    """What is known of each did, from one question; nothing, and a word to the reader, when it is not answered."""
    try:
        return queries.known_actors(dids)
    except ClickHouseError as error:
        log.warning("members.without_names", error=type(error).__name__)
        messages.warning(request, "ClickHouse does not answer: names are not shown.")
        return {}
