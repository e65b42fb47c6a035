"""The columns of clean-up jobs, in their list and on their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from indexer.admin.columns import Named, foreign
from search.cleanup.states import State

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob

#: The CSS class of each state (static/atsite/admin.css); the word is always shown too.
LOOKS: Final = {
    State.PLANNING: "at-quiet",
    State.PLANNED: "at-look",
    State.RUNNING: "at-ok",
    State.WAITING: "at-quiet",
    State.NEEDS_SIGN_IN: "at-look",
    State.COMPLETED: "at-ok",
    State.CANCELLED: "at-quiet",
    State.FAILED: "at-act",
}


class JobColumns(Named):
    """Mixin for the admin of jobs."""

    def heading(self, row: RepoCleanupJob) -> str:
        """The kind and the account of the job."""
        return f"{'Undo' if row.is_undo else 'Clean-up'} of {super().heading(row)}"

    @admin.display(description="state", ordering="state")
    def status(self, job: RepoCleanupJob) -> str:
        """The state as a coloured word, and whether it is an undo."""
        undo = format_html(' <span class="at-state at-look">{}</span>', "undo") if job.is_undo else ""
        return format_html('<span class="at-state {}">{}</span>{}', LOOKS[job.current_state], job.status, undo)

    @admin.display(description="reason")
    def why(self, job: RepoCleanupJob) -> str:
        """Why it waits, failed or was cancelled; a part may be what its PDS said."""
        return foreign(job.reason) if job.reason else "–"

    @admin.display(description="handle at the sign-in")
    def signed_in_as(self, job: RepoCleanupJob) -> str:
        """The handle that its owner had."""
        return foreign(f"@{job.handle}") if job.handle else "–"

    @admin.display(description="other clean-up")
    def other_job(self, job: RepoCleanupJob) -> str:
        """The clean-up that it undoes, or the undos of it."""
        others = [job.undoes] if job.undoes else list(job.undone_by.order_by("job_id"))
        words = "undoes" if job.is_undo else "undone by"
        links = format_html_join(
            ", ",
            '<a class="at-link at-mono" href="{}">{}</a> ({})',
            (
                (reverse("admin:cleanup_repocleanupjob_change", args=(other.pk,)), other.job_id, other.status)
                for other in others
            ),
        )
        return format_html("{} {}", words, links) if others else "–"

    @admin.display(description="types")
    def record_types(self, job: RepoCleanupJob) -> str:
        """The types of records that it deletes."""
        return ", ".join(name.replace("_", " ") for name in job.types)

    @admin.display(description="may delete")
    def permission(self, job: RepoCleanupJob) -> str:
        """Whether its owner may confirm its plan."""
        if job.is_undo:
            return "nothing: it creates records again"
        return "yes, once its owner has confirmed the plan" if job.permitted else "no, it only shows its plan"

    @admin.display(description="result")
    def outcome(self, job: RepoCleanupJob) -> str:
        """The comparison with the repo at the end."""
        if not job.report:
            return "–"
        return str(job.report.get("text") or "The repo is as planned.")

    @admin.display(description="backup")
    def kept_backup(self, job: RepoCleanupJob) -> str:
        """Until when there is one."""
        if not job.backup:
            return "none"
        return "kept" if job.backup_until is None else f"kept until {job.backup_until:%Y-%m-%d %H:%M} UTC"

    @admin.display(description="progress")
    def progress(self, job: RepoCleanupJob) -> str:
        """A bar, and the same in words."""
        bar = '<progress class="at-progress" max="100" value="{0}" aria-label="{0} % done"></progress> {0} %'
        return format_html(bar, job.percent)

    @admin.display(description="done", ordering="records_deleted")
    def done(self, job: RepoCleanupJob) -> str:
        """Records that it deleted; of an undo, that it created again."""
        return f"{job.records_deleted:,}"

    @admin.display(description="remaining")
    def left(self, job: RepoCleanupJob) -> str:
        """Records of the plan that are still to be written."""
        return f"{job.remaining:,}"
