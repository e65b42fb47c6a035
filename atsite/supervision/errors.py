"""Why a site cannot be started."""

from __future__ import annotations

from atsite.core.errors import AtsiteError


class UpFailed(AtsiteError):
    """The site cannot be started; the message says why and what to do."""
