"""What can go wrong with a job that is no fault of the job."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class IllegalMove(AtsiteError):
    """A job cannot go from its state to the one that was asked for."""


class LeaseLost(AtsiteError):
    """The job was taken from this worker: its lease ended and another has it, or a person moved it."""


class JobChanged(AtsiteError):
    """The job changed after it was read: read it again."""
