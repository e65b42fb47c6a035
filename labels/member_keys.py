"""Keeps the signing keys of members, so that all of them can read at once (atsite.core.identity.stored_keys)."""

from __future__ import annotations

import time
from typing import Final

from django.utils import timezone

from atsite.core.atproto.syntax import Did
from atsite.core.identity import renewal, stored_keys
from atsite.core.kv.lock import single_flight
from labels.models import ActorLabel

#: Longer than a run of the task takes.
LOCK_SECONDS: Final = 120


def fetch(*, seconds: float) -> int:
    """Fetch keys that are missing or old, for about `seconds`, unless another process does; returns how many came.

    Raises RedisError, DatabaseError.
    """
    with single_flight("labels.member_keys", LOCK_SECONDS) as mine:
        if not mine:
            return 0
        deadline, fetched = time.monotonic() + seconds, 0
        while came := renewal.renew(_members(), seconds=deadline - time.monotonic()):
            fetched += came  # again, because there may be new members meanwhile
        stored_keys.expire(now=timezone.now())
        return fetched


def _members() -> set[Did]:
    return {Did(did) for did in ActorLabel.objects.values_list("did", flat=True).distinct()}
