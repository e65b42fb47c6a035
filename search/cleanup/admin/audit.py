"""The admin of the audit: who did what with which clean-up. Only looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from atsite.core.admin_base import ViewOnly
from indexer.admin.columns import Named, foreign
from search.cleanup.admin.searching import SearchedByAccount
from search.cleanup.models import CleanupAudit, RepoCleanupJob

if TYPE_CHECKING:
    from django.http import HttpRequest

#: The rows of what was done with all clean-ups at once.
ALL: Final = "all clean-ups"


@admin.register(CleanupAudit)
class CleanupAuditAdmin(SearchedByAccount, ViewOnly, Named):
    list_display = ("at", "account", "action", "done_by", "clean_up")
    list_filter = ("action",)
    search_fields = ("did", "job_id")
    search_help_text = "A did, the address of a profile with a did, or the id of a clean-up."
    fields = ("at", "account", "action", "done_by", "clean_up", "address_hash")
    date_hierarchy = "at"

    def heading(self, row: CleanupAudit) -> str:
        """What was done, and with whose clean-up."""
        return f"{row.action}: {super().heading(row)}" if row.did else row.action

    @admin.display(description="account", ordering="did")
    def account(self, row: CleanupAudit) -> str:
        """The handle with the did, or that it was done with all."""
        return self.who(row) if row.did else ALL

    @admin.display(description="by", ordering="by")
    def done_by(self, row: CleanupAudit) -> str:
        """The owner of the account, or an operator."""
        return foreign(row.by)

    @admin.display(description="clean-up", ordering="job_id")
    def clean_up(self, row: CleanupAudit) -> str:
        """The job's id, with a link to its page if it exists."""
        if "job_pk" not in row.__dict__:
            _add_jobs([row])
        pk = row.__dict__["job_pk"]
        if pk is None:
            return row.job_id or "–"
        url = reverse("admin:cleanup_repocleanupjob_change", args=(pk,))
        return format_html('<a class="at-link at-mono" href="{}">{}</a>', url, row.job_id)

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the names of the accounts and the keys of the jobs, from one query each."""
        super().complete(request, rows)
        _add_jobs(rows)


def _add_jobs(rows: list[Any]) -> None:
    pks = dict(RepoCleanupJob.objects.filter(job_id__in={row.job_id for row in rows}).values_list("job_id", "pk"))
    for row in rows:
        row.__dict__["job_pk"] = pks.get(row.job_id)
