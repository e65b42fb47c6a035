"""Errors of reading and changing rows that people decide."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class Undecidable(AtsiteError):
    """Neither the relational database nor a cache entry can be read. The caller must refuse access."""


class ChangedMeanwhile(AtsiteError):
    """The row was changed or deleted by someone else since it was read: read it again."""


class RowByRowOnly(AtsiteError):
    """This way of writing would bypass versions, copies and history; use `save` and `delete` of each row."""
