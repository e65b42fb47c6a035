"""Base classes of the models that people edit.

    class ActorLabel(CopiedModel):
        copy = PublishedLabel                                   # the ClickHouse table, by its read model
        copied = {"label": "label_id", "did": "did", …}         # its columns, by attribute of this model
        natural_key = ("label", "did")                          # never changes; the copy's key is made of it

Foreign keys to such models must be PROTECT: Django's cascades bypass `delete` and `save`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models, transaction

from atsite.core.copies import clickhouse_copies, outcome, process_copies, versions
from atsite.core.copies.copied_fields import CopiedFields
from atsite.core.copies.errors import ChangedMeanwhile
from atsite.core.copies.querysets import RowByRow
from atsite.core.copies.versions import LastIssued
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from atsite.core.copies.redis_cache import Entry, VersionedCache

__all__ = ["AnnouncedModel", "Cached", "CopiedModel", "LastIssued"]


class AnnouncedModel(models.Model):
    """A row that processes hold copies of (`atsite.core.copies.process_copies`). Its changes raise the counter."""

    objects = models.Manager.from_queryset(RowByRow)()

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        with transaction.atomic(using=DEFAULT):
            super().save(**options)
            transaction.on_commit(_announce, using=DEFAULT, robust=True)

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=DEFAULT):
            deleted = super().delete(using, keep_parents)
            transaction.on_commit(_announce, using=DEFAULT, robust=True)
        return deleted


def _announce() -> None:
    if not process_copies.raise_counter():
        outcome.tell(outcome.CACHE_LATE)


@dataclass(frozen=True, slots=True)
class Cached:
    """A row's entry in Redis, which decisions are based on."""

    cache: VersionedCache
    key: str
    entry: Entry


class LiveManager(models.Manager.from_queryset(RowByRow)):  # type: ignore[misc]
    """Rows that are not deleted."""

    def get_queryset(self) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = super().get_queryset()
        return rows.filter(deleted=False)


class CopiedModel(CopiedFields):
    """A row with a copy in ClickHouse.

    Every `save` and `delete` is one transaction with a new version (`time_us`). After the commit the entry in Redis and
    the copy are written; a failure there is reported to `copies.outcome.watched`. `delete` keeps the row and marks it;
    adding a row with the same natural key revives it.
    """

    #: Fields that identify a row, for people and in the copy. They never change.
    natural_key: ClassVar[tuple[str, ...]]

    objects = LiveManager()
    #: The deleted rows, too.
    every = models.Manager.from_queryset(RowByRow)()

    class Meta(CopiedFields.Meta):
        abstract = True

    def save(self, **options: Any) -> None:
        """Write the row under a new version.

        Raises ChangedMeanwhile if the stored row has changed since this one was read, ValueError if its natural key
        changed, IntegrityError if a live row has the same natural key.
        """
        loaded = (self.pk, self.time_us, self._state.adding)
        with transaction.atomic(using=DEFAULT):
            version = versions.issue()
            stored = self._stored()
            if stored is not None and self._state.adding:
                self._take_over(stored, options)
            elif not self._state.adding:
                self._compare(stored)
            if stored is not None:
                self.published_us = stored.published_us
                self._check_change(stored)
            self.time_us = version
            if options.get("update_fields") is not None:
                options["update_fields"] = {*options["update_fields"], "time_us", "published_us"}
            try:
                super().save(**options)
            except Exception:
                self.pk, self.time_us, self._state.adding = loaded
                raise
            settle = partial(_settle, type(self), self.pk, self.cached())
            transaction.on_commit(settle, using=DEFAULT, robust=True)

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Mark the row as deleted. Raises ChangedMeanwhile."""
        if self.deleted:
            return 0, {}
        self.deleted = True
        self.save(update_fields=["deleted"])
        return 1, {self._meta.label: 1}

    save.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]

    def cached(self) -> Cached | None:
        """The row's entry in Redis; None if no decision is based on this row."""
        return None

    def _check_change(self, stored: Self) -> None:
        """For subclasses: raise ValueError where `stored` must not become this."""

    def _stored(self) -> Self | None:
        """The row as it is in the store, under lock; for a new one, a row with the same natural key."""
        rows = type(self)._base_manager.using(DEFAULT)
        if not self._state.adding:
            return rows.filter(pk=self.pk).first()
        return rows.filter(**{name: getattr(self, name) for name in self.natural_key}).first()

    def _take_over(self, stored: Self, options: dict[str, Any]) -> None:
        """Become the deleted row; for a live one, the unique constraint raises."""
        if stored.deleted:
            self.pk = stored.pk
            self._state.adding = False
            options.pop("force_insert", None)

    def _compare(self, stored: Self | None) -> None:
        if stored is None:
            raise ChangedMeanwhile(f"{self} was deleted: reload the page")
        if stored.time_us != self.time_us:
            raise ChangedMeanwhile(f"{self} was changed by another person in the meantime: reload it")
        changed = [name for name in self.natural_key if getattr(stored, name) != getattr(self, name)]
        if changed:
            raise ValueError(f"{', '.join(changed)} of {self} cannot change: delete it and add another")


def _settle(model: type[CopiedModel], pk: object, cached: Cached | None) -> None:
    """After a commit: write the entry that decisions are based on, then the copy."""
    if cached is not None and not cached.cache.put(cached.key, cached.entry):
        outcome.tell(outcome.CACHE_LATE)
    if not clickhouse_copies.copy_row(model, pk):
        outcome.tell(outcome.COPY_LATE)
