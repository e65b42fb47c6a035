"""What can go wrong while people's decisions are changed or asked for."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class Undecidable(AtsiteError):
    """Neither the relational store nor a cache entry can say what was decided. Unknown means closed: refuse."""


class ChangedMeanwhile(AtsiteError):
    """The row was changed or removed by someone else since this one was read: read it again."""


class RowByRowOnly(AtsiteError):
    """A way of writing that would go past versions, copies and history; `save` and `delete` of rows do not."""
