"""Why a simulated network cannot run as asked."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class SimulatorError(AtsiteError):
    """The simulator cannot run as asked; the message says what to change."""
