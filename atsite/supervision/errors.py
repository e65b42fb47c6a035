"""Why a site cannot be started."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


def first_line(error: Exception) -> str:
    """The first line of an error's message; the rest is internal to its library."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class UpFailed(AtsiteError):
    """The site cannot be started; the message says why and what to do."""
