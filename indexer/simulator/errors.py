"""The error of the simulator."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class SimulatorError(AtsiteError):
    """The simulator cannot run as requested; the message says what to change."""
