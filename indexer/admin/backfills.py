"""Backfills in the admin: their state, the reasons of failures, and an action to fetch again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin, messages
from django.utils.html import format_html

from atsite.core.admin_base import ViewOnly
from atsite.core.atproto.syntax import Did
from atsite.core.roles import Right, may
from indexer.admin.columns import Named
from indexer.backfill import jobs
from indexer.index.models import Backfill

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest


#: CSS classes of the end states; all others are yellow.
LOOKS: Final = {
    Backfill.State.COMPLETED: "at-ok",
    Backfill.State.FAILED: "at-act",
    Backfill.State.GONE: "at-act",
}


@admin.register(Backfill)
class BackfillAdmin(Named, ViewOnly):
    """Rows are created when an account gets a label, or by `manage.py backfill`."""

    list_display = ("who", "state_badge", "reason", "requested_at", "finished_at", "next_try", "counts")
    fields = ("who", "days", "state_badge", "reason", "requested_at", "started_at", "finished_at", "next_try", "counts")
    list_filter = ("state",)
    search_fields = ("did__startswith",)
    search_help_text = "Enter the beginning of a did."
    actions = ("fetch_again",)
    action_rights = {"fetch_again": Right.BACKFILL}

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: Backfill) -> str:
        """The state as a coloured word."""
        state = Backfill.State(row.state)
        return format_html('<span class="at-state {}">{}</span>', LOOKS.get(state, "at-look"), state.label)

    @admin.display(description="next try")
    def next_try(self, row: Backfill) -> datetime | None:
        """When the worker continues it; None once it has ended."""
        return (row.leased_until or row.next_at) if row.is_active else None

    @admin.display(description="records")
    def counts(self, row: Backfill) -> str:
        """How many records were read, written and removed."""
        found = row.progress
        return f"{found['listed']} read, {found['written']} written, {found['removed']} removed" if found else ""

    @admin.action(description="Fetch again", permissions=["backfill"])
    def fetch_again(self, request: HttpRequest, chosen: QuerySet[Backfill]) -> None:
        """Start the selected backfills again."""
        rows = list(chosen)
        for row in rows:
            jobs.ask(Did(row.did), days=row.days)
            self.log_change(request, row, "Requested again.")
        messages.success(request, f"The earlier posts of {len(rows)} accounts will be fetched in the next minutes.")

    def has_backfill_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.BACKFILL)
