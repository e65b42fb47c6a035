"""Fetches signing keys ahead of time, for accounts that the site chose."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from atsite.core.config import config
from atsite.core.identity import stored_keys
from atsite.core.identity.documents import LookupFailed, NoSuchIdentity
from atsite.core.identity.resolver import site_resolver
from atsite.core.outgoing import synchronous_client

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did
    from atsite.core.identity.resolver import Resolver

#: Keys per step; after each step they are stored and the time is checked. The resolver limits the rate.
AT_ONCE: Final = 40


def renew(dids: Collection[Did], *, seconds: float) -> int:
    """Fetch the keys of those of `dids` whose stored key is old or missing, for about `seconds`.

    Returns how many were answered. The documents are cached in Redis as well. Raises DatabaseError.
    """
    due = list(stored_keys.due(dids, now=timezone.now()))
    random.shuffle(due)  # so that hosts that never answer do not always come first
    deadline, answered = time.monotonic() + seconds, 0
    # Database queries stay outside of the coroutines, which must not block.
    with synchronous_client(loopback=config.allow_loopback) as (client, runner):
        resolver = site_resolver(client)
        for start in range(0, len(due), AT_ONCE):
            if time.monotonic() >= deadline:
                break
            asked_at = timezone.now()
            keys = runner.run(_asked(resolver, due[start : start + AT_ONCE]))
            stored_keys.keep(keys, now=asked_at)
            answered += len(keys)
    return answered


async def _asked(resolver: Resolver, dids: Collection[Did]) -> dict[Did, PublicKey | None]:
    """The key in each document, None if it has none. Dids whose look-up failed are left out."""

    async def ask(did: Did) -> tuple[Did, PublicKey | None] | None:
        try:
            return did, (await resolver.document(did, fresh=True)).signing_key
        except NoSuchIdentity:
            return did, None
        except LookupFailed:
            return None

    return dict(found for found in await asyncio.gather(*map(ask, dids)) if found is not None)
