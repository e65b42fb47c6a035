"""Keeps the keys with which members sign, so that all of them may come at once (atsite.core.identity.stored_keys)."""

from __future__ import annotations

import time
from typing import Final

from django.utils import timezone

from atsite.core.atproto.syntax import Did
from atsite.core.identity import renewal, stored_keys
from atsite.core.kv.lock import single_flight
from labels.models import ActorLabel

#: Longer than a round and its last answers.
LOCK_SECONDS: Final = 120


def fetch(*, seconds: float) -> int:
    """Ask for the keys that are missing or old, for about `seconds`, unless another process is at it; how many came.

    Raises RedisError, DatabaseError.
    """
    with single_flight("labels.member_keys", LOCK_SECONDS) as mine:
        if not mine:
            return 0
        deadline, fetched = time.monotonic() + seconds, 0
        while came := renewal.renew(_members(), seconds=deadline - time.monotonic()):
            fetched += came  # and again: meanwhile others may have become members
        stored_keys.expire(now=timezone.now())
        return fetched


def _members() -> set[Did]:
    return {Did(did) for did in ActorLabel.objects.values_list("did", flat=True).distinct()}
