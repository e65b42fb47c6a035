"""Jobs whose rows have a copy in ClickHouse: each change of state is copied, progress at most once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import models, transaction

from atsite.core.clock import now_us
from atsite.core.copies import clickhouse_copies, versions
from atsite.core.copies.models import CopiedModel
from atsite.core.jobs.graph import words
from atsite.core.jobs.models import Job
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How far the copy may lag behind the progress of a running job.
COPY_US: Final = 60 * 1_000_000
#: The length of the history's column of reasons.
_REASON_MAX: Final = 100


class CopiedJob(Job, CopiedModel):
    """A change of state is a `save`: a new version, an entry of the history, the copy. Progress is a plain UPDATE."""

    #: The reason that simple_history stores with its entry of the next save.
    _change_reason: str | None = None

    class Meta(CopiedModel.Meta):
        abstract = True
        indexes = [*CopiedModel.Meta.indexes, *Job.Meta.indexes]

    def store(self, expected: models.Q, values: Mapping[str, Any], *, by: str = "") -> bool:
        """As Job's; where the state is among the values, under the lock of all copied rows. Raises as `save`."""
        if "state" not in values:
            return super().store(expected, values, by=by)
        with transaction.atomic(using=DEFAULT):
            versions.lock()
            rows = type(self)._base_manager.using(DEFAULT).select_for_update()
            stored = rows.filter(expected, pk=self.pk).first()
            if stored is None:
                return False
            for name, value in values.items():
                setattr(stored, name, value)
            stored._change_reason = f"{words(values['state'])}{f' by {by}' if by else ''}"[:_REASON_MAX]
            stored.save()
        for field in self._meta.concrete_fields:
            setattr(self, field.attname, getattr(stored, field.attname))
        return True

    def progress_kept(self) -> None:
        """Copy the progress if the copy is a minute old. The next progress retries a failure."""
        if now_us() - self.time_us >= COPY_US:
            transaction.on_commit(self._copy_progress, using=DEFAULT, robust=True)

    def copied_late(self) -> frozenset[str]:
        """The columns of progress while a worker has the job; they are copied when it ends."""
        if self.leased_until is None:
            return frozenset()
        return frozenset(column for column, name in self.copied.items() if name in self.progress_fields)

    def _copy_progress(self) -> None:
        with transaction.atomic(using=DEFAULT):
            version = versions.issue(above=self.time_us)
            mine = type(self)._base_manager.using(DEFAULT).filter(pk=self.pk, fence=self.fence)
            if not mine.update(time_us=version):
                return
        self.time_us = version
        clickhouse_copies.copy_row(type(self), self.pk)
