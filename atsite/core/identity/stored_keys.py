"""Signing keys in `default`, so that readers stay known when Redis loses its data.

Only keys of accounts that the site chose (label members) are stored, never of dids that callers name. A key is valid
for a day. It is fetched again long before that; a row that was not renewed is deleted after that day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.utils import timezone

from atsite.core.atproto.keys import parse_multikey
from atsite.core.atproto.syntax import Did
from atsite.core.circuit_breaker import CircuitBreaker
from atsite.core.errors import InvalidSyntax
from atsite.core.identity.models import SigningKey
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from atsite.core.atproto.keys import PublicKey

log = structlog.get_logger(__name__)

#: How long a stored key is used without a look-up.
FRESH: Final = timedelta(hours=24)
#: The age at which a key is fetched again: less than the six hours that Redis keeps a document.
RENEW_AFTER: Final = timedelta(hours=5)
#: Variables in one statement; SQLite limits them.
AT_ONCE: Final = 400

#: A database that does not answer is not asked for a moment; the network can answer instead.
_breaker = CircuitBreaker(pause=1.0, trial=4.0)


def fresh(dids: Collection[Did]) -> dict[Did, PublicKey]:
    """The stored keys of these dids; none while the database is unavailable."""
    if not _breaker.admits():
        return {}
    try:
        believed = SigningKey.objects.filter(asked_at__gt=timezone.now() - FRESH).exclude(key="")
        rows = list(believed.filter(did__in=dids).values_list("did", "key"))
    except (DatabaseError, InterfaceError) as error:
        connection = connections[DEFAULT]
        if not connection.in_atomic_block:
            connection.close()  # it may be broken; the next call opens another one
        if _breaker.failed():
            log.warning("default.away", error=type(error).__name__)
        return {}
    _breaker.succeeded()
    found = {Did(did): _parsed(key) for did, key in rows}
    return {did: key for did, key in found.items() if key is not None}


def due(dids: Collection[Did], *, now: datetime) -> set[Did]:
    """Those of these dids whose key was not fetched lately. Raises DatabaseError."""
    recent = SigningKey.objects.filter(asked_at__gt=now - RENEW_AFTER).values_list("did", flat=True)
    return set(dids) - {Did(did) for did in recent}


def keep(keys: Mapping[Did, PublicKey | None], *, now: datetime) -> None:
    """Store keys that were fetched at `now`; None if the document has no key. Raises DatabaseError."""
    rows = [SigningKey(did=did, key=key.multibase if key else "", asked_at=now) for did, key in keys.items()]
    SigningKey.objects.bulk_create(
        rows, AT_ONCE // 3, update_conflicts=True, unique_fields=["did"], update_fields=["key", "asked_at"]
    )


def replace(did: Did, key: PublicKey | None) -> None:
    """Replace a stored key with one that was fetched now; a did without a row does not get one."""
    try:
        SigningKey.objects.filter(did=did).update(key=key.multibase if key else "", asked_at=timezone.now())
    except (DatabaseError, InterfaceError) as error:
        log.warning("signing_key.not_replaced", error=type(error).__name__)


def expire(*, now: datetime) -> int:
    """Delete rows that were not renewed; returns how many. Raises DatabaseError."""
    with transaction.atomic(using=DEFAULT):
        deleted, _ = SigningKey.objects.filter(asked_at__lte=now - FRESH).delete()
    return deleted


def _parsed(text: str) -> PublicKey | None:
    try:
        return parse_multikey(text)
    except InvalidSyntax:
        return None
