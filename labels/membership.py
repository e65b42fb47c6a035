"""Who carries a label, decided from `default` through Redis; and giving and taking labels.

A change is effective at once: the entry in Redis is written with the commit, and membership is never held in a process.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from atsite.core.atproto.syntax import Did
from atsite.core.published import versions
from atsite.core.published.errors import ChangedMeanwhile
from atsite.core.published.outcome import watched
from atsite.core.published.redis_cache import ABSENT, Entry
from atsite.core.routers import DEFAULT
from labels.change_author import Via, acting
from labels.models import MEMBERSHIPS, ActorLabel, Label, membership_key


@dataclass(frozen=True, slots=True)
class Change:
    """Whether anything changed, and sentences about what is late (atsite.core.published.outcome)."""

    changed: bool
    late: tuple[str, ...] = ()


def has_label(did: Did, label: str) -> bool:
    """Whether `did` carries `label` now. Raises Undecidable when nobody can tell: then treat it as no."""
    entry = MEMBERSHIPS.look_up(membership_key(label, did), lambda: _stored(did, label))
    return entry.value is not None


def assign(label: str, did: Did, *, by: str, note: str = "", via: Via = Via.SERVER) -> Change:
    """Give `label` to `did`; nothing changes where it has it. `by`: a user's name or a key's id.

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
    """Take `label` from `did`; nothing changes where it has not got it. Raises DatabaseError."""
    with acting(by, via), watched() as outcome, transaction.atomic(using=DEFAULT):
        versions.lock()
        row = ActorLabel.objects.filter(label_id=label, did=did).first()
        if row is not None:
            row.delete()
    return Change(row is not None, tuple(outcome.late))


def restore(pk: int, version: int, *, by: str, via: Via = Via.UNDO) -> Change:
    """Give back a label that was taken off, with its note, if that is still how the row stands.

    `version`: the `time_us` of the removal that was seen. Raises ChangedMeanwhile, DatabaseError, and ValidationError
    where no account can have the did.
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
