"""The one error of this package."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class InvalidRepo(AtsiteError):
    """The file is not a complete, signed repo of the expected account; the message says what is wrong."""
