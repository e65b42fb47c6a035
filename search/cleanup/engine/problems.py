"""Why a job cannot take its next step. Each message is shown to the owner of the account."""

from __future__ import annotations

from atsite.core.errors import AtsiteError

#: Seconds until the next try after a server did not answer.
LATER_SECONDS = 60.0


class NotNow(AtsiteError):
    """A server does not answer, or asks to wait: the job tries again after `seconds`, with growing pauses."""

    def __init__(self, message: str, seconds: float = LATER_SECONDS) -> None:
        super().__init__(message)
        self.seconds = seconds


class SignInNeeded(AtsiteError):
    """The job waits until its owner has signed in again."""


class CannotGoOn(AtsiteError):
    """The job fails: another try would not help."""
