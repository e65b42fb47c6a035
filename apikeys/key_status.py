"""How an API key stands, and why a form of it did nothing, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

if TYPE_CHECKING:
    from apikeys.models import ApiKey

MADE_BEFORE: Final = (
    "This key was made already; its secret is shown only once. If it was not copied, give the key a new secret here."
)
SENT_BEFORE: Final = (
    "Nothing was done: this key was changed after that form was opened, by another person or by sending the form twice."
    " A secret is shown only once; if it was not copied, make another new one here."
)
REVOKED: Final = "This key was revoked, which is final: nothing of it changes any more. Make another one."


def state_of(key: ApiKey) -> str:
    """Whether a key opens anything now, in words."""
    now = timezone.now()
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC"
    if key.expires_at is not None and key.expires_at <= now:
        return f"expired {key.expires_at:%Y-%m-%d %H:%M} UTC"
    if key.old_valid_until is not None and old_is_good(key):
        return f"good; its old secret until {key.old_valid_until:%Y-%m-%d %H:%M} UTC"
    return "good"


def old_is_good(key: ApiKey) -> bool:
    """Whether the secret of before the last rotation still opens something."""
    return key.revoked_at is None and key.old_valid_until is not None and key.old_valid_until > timezone.now()
