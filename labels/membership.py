"""Whether an account has a label, read from `default` through Redis; and adding and removing labels.

A change takes effect at once: Redis is updated with the commit, and no process caches membership.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from atsite.core.atproto.syntax import Did
from atsite.core.copies import versions
from atsite.core.copies.errors import ChangedMeanwhile
from atsite.core.copies.outcome import watched
from atsite.core.copies.redis_cache import ABSENT, Entry
from atsite.core.routers import DEFAULT
from labels.change_author import Via, acting
from labels.models import MEMBERSHIPS, ActorLabel, Label, membership_key


@dataclass(frozen=True, slots=True)
class Change:
    """Whether anything changed, and messages about what is late (atsite.core.copies.outcome)."""

    changed: bool
    late: tuple[str, ...] = ()


def has_label(did: Did, label: str) -> bool:
    """Whether `did` has `label` now. Raises Undecidable if neither store answers: treat that as no."""
    entry = MEMBERSHIPS.look_up(membership_key(label, did), lambda: _stored(did, label))
    return entry.value is not None


def assign(label: str, did: Did, *, by: str, note: str = "", via: Via = Via.SERVER) -> Change:
    """Add `label` to `did`; does nothing if it has it already. `by`: a user's name or a key's id.

    Raises Label.DoesNotExist, ValidationError, DatabaseError.
    """
    with acting(by, via), watched() as outcome, transaction.atomic(using=DEFAULT):
        versions.lock()
        missing = not ActorLabel.objects.filter(label_id=label, did=did).exists()
        if missing:
            row = ActorLabel(label=Label.objects.get(name=label), did=did, created_by=by, note=note)
            row.full_clean()
            row.save()
    return Change(missing, tuple(outcome.late))


def remove(label: str, did: Did, *, by: str, via: Via = Via.SERVER) -> Change:
    """Remove `label` from `did`; does nothing if it does not have it. Raises DatabaseError."""
    with acting(by, via), watched() as outcome, transaction.atomic(using=DEFAULT):
        versions.lock()
        row = ActorLabel.objects.filter(label_id=label, did=did).first()
        if row is not None:
            row.delete()
    return Change(row is not None, tuple(outcome.late))


def restore(pk: int, version: int, *, by: str, via: Via = Via.UNDO) -> Change:
    """Add back a removed label, with its note, if the row was not changed since.

    `version`: the `time_us` of the removal that was seen. Raises ChangedMeanwhile, DatabaseError.
    """
    with acting(by, via), watched() as outcome, transaction.atomic(using=DEFAULT):
        versions.lock()
        row = ActorLabel.every.filter(pk=pk, deleted=True, time_us=version).first()
        if row is None:
            raise ChangedMeanwhile("Another person changed this label in the meantime. This is its current state.")
        change = assign(row.label_id, Did(row.did), by=by, note=row.note)
    return Change(change.changed, tuple(outcome.late))


def _stored(did: Did, label: str) -> Entry:
    row = ActorLabel.every.filter(label_id=label, did=did).values_list("time_us", "deleted").first()
    if row is None:
        return ABSENT
    time_us, deleted = row
    return Entry(time_us, None if deleted else "")
