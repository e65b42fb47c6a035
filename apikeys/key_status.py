"""The status of an API key, and why a form changed nothing, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone

from apikeys.rotation import old_secret_works

if TYPE_CHECKING:
    from apikeys.models import ApiKey

ALREADY_CREATED: Final = (
    "This key already exists, and its secret is shown only once. If you did not copy it, create a new secret here."
)
FORM_OUTDATED: Final = (
    "Nothing was changed: this key was changed after you opened the form, by another person or by sending the form"
    " twice. A secret is shown only once. If you did not copy it, create a new secret here."
)
REVOKED: Final = "This key was revoked. That is final, and it cannot be changed. Create a new key."


def status_of(key: ApiKey) -> str:
    """The status of a key now, in words."""
    now = timezone.now()
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC"
    if key.expires_at is not None and key.expires_at <= now:
        return f"expired {key.expires_at:%Y-%m-%d %H:%M} UTC"
    if old_secret_works(key.old_valid_until, now):
        return f"active; the old secret works until {key.old_valid_until:%Y-%m-%d %H:%M} UTC"
    return "active"
