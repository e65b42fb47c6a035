"""The switch that pauses all clean-ups. The engine asks for it before each batch, and the API before each new job."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from atsite.core.routers import DEFAULT
from search.cleanup.access import audit
from search.cleanup.models import CleanupSwitch


def set_paused(paused: bool, *, by: str) -> CleanupSwitch | None:
    """Pause all clean-ups, or let them go on; None if that was so already. Raises DatabaseError."""
    with transaction.atomic(using=DEFAULT):
        CleanupSwitch.objects.get_or_create(pk=CleanupSwitch.ID)
        other = CleanupSwitch.objects.filter(pk=CleanupSwitch.ID).exclude(paused=paused)
        if not other.update(paused=paused, changed_at=timezone.now(), changed_by=by):
            return None
        audit.keep_of_all("paused all" if paused else "let all go on", by=by)
        changed: CleanupSwitch = CleanupSwitch.objects.get(pk=CleanupSwitch.ID)
    return changed


def pause_in_force() -> CleanupSwitch | None:
    """The pause: since when, and by whom; None if clean-ups are not paused. Raises DatabaseError."""
    found: CleanupSwitch | None = CleanupSwitch.objects.filter(pk=CleanupSwitch.ID, paused=True).first()
    return found
