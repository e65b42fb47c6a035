"""Backfills in the admin: which are due, which failed and why; to be asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from unfold.admin import ModelAdmin

from atsite.atproto.syntax import Did
from atsite.roles import Right, may
from indexer.backfill import work
from indexer.models import Backfill

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Backfill)
class BackfillAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows are made by giving a label (labels) or by `manage.py backfill`."""

    list_display = ("did", "state", "reason", "requested_at", "finished_at", "next_at", "counts")
    list_filter = ("state",)
    search_fields = ("did__startswith",)
    search_help_text = "The beginning of a did."
    actions = ("fetch_again",)
    action_rights = {"fetch_again": Right.BACKFILL}

    @admin.display(description="records")
    def counts(self, row: Backfill) -> str:
        """What was read and what came of it."""
        found = row.progress
        return f"{found['listed']} read, {found['written']} written, {found['removed']} removed" if found else ""

    @admin.action(description="Fetch again", permissions=["backfill"])
    def fetch_again(self, request: HttpRequest, chosen: QuerySet[Backfill]) -> None:
        """Begin the chosen ones anew."""
        rows = list(chosen)
        for row in rows:
            work.ask(Did(row.did), days=row.days)
        messages.success(request, f"{len(rows)} will be fetched within the next minutes.")

    def has_backfill_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.BACKFILL)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
