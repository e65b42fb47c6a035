"""Versions: each change of a copied row gets a number greater than all before it, in all processes.

It is issued under the lock of a one-row table inside the change's own transaction, so the order of the numbers is the
order of the commits. Code that locks rows of copied models must take this lock first (`lock`), as `save` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections, models
from django.db.transaction import TransactionManagementError

from atsite.core.clock import now_us
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

_ROW = 1


class LastIssued(models.Model):
    """The last issued version, unix microseconds. One row, made when it is first needed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=_ROW)
    time_us = models.BigIntegerField(default=0)

    class Meta:
        app_label = "publish"
        verbose_name_plural = "last issued versions"

    def __str__(self) -> str:
        return str(self.time_us)


def last_issued() -> int:
    """The newest version that was committed, 0 for none: a cheap way to see whether any copied row changed."""
    return LastIssued.objects.filter(id=_ROW).values_list("time_us", flat=True).first() or 0


def lock() -> LastIssued:
    """Block every other change of copied rows until this transaction ends.

    Raises TransactionManagementError outside one.
    """
    if not connections[DEFAULT].in_atomic_block:
        raise TransactionManagementError("versions are issued inside the transaction of the change")
    row, _ = LastIssued.objects.select_for_update().get_or_create(id=_ROW)
    return row


def issue(*, above: int = 0, clock: Callable[[], int] = now_us) -> int:
    """The next version: max(now, last issued + 1, `above` + 1), in microseconds. Raises as `lock` does."""
    row = lock()
    row.time_us = max(clock(), row.time_us + 1, above + 1)
    row.save(update_fields=["time_us"])
    return row.time_us
