"""Errors of handling a job, as opposed to errors of its work."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class IllegalMove(AtsiteError):
    """A job cannot move from its state to the requested one."""


class LeaseLost(AtsiteError):
    """This worker no longer has the job: its lease expired and another worker has it, or a person moved it."""


class JobChanged(AtsiteError):
    """The job changed after it was read: read it again."""
