"""How a model describes its copy in ClickHouse, and the columns that copying needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from atsite.core.clickhouse.models import ReadModel


class CopiedFields(models.Model):
    """A row with a copy in ClickHouse. The copy is due while `published_us < time_us`."""

    #: The read model of the copy.
    copy: ClassVar[type[ReadModel]]
    #: Column of the copy -> attribute of this model. `time_us` and `deleted` are added here.
    copied: ClassVar[Mapping[str, str]]
    #: Foreign keys that those attributes read.
    copied_from: ClassVar[tuple[str, ...]] = ()

    time_us = models.BigIntegerField("version", default=0, editable=False)
    published_us = models.BigIntegerField("published version", default=0, editable=False)
    deleted = models.BooleanField(default=False, editable=False)

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["time_us"], condition=Q(published_us__lt=F("time_us")), name="%(app_label)s_%(class)s_due"
            )
        ]

    def row(self) -> dict[str, object]:
        """The columns of the copy."""
        columns = {column: getattr(self, name) for column, name in self.copied.items()}
        return {**columns, "time_us": self.time_us, "deleted": int(self.deleted)}

    @classmethod
    def copies_written(cls, rows: Sequence[Mapping[str, object]]) -> None:
        """Called after `rows` were written into the copy. For subclasses; must not raise."""

    def copied_late(self) -> frozenset[str]:
        """Columns whose copy may now be older than the row, though it has the row's version."""
        return frozenset()
