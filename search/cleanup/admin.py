"""The admin of clean-up jobs: progress, batches, cancel and retry. Jobs are created through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from atsite.core.admin_base import OwnPages, ViewOnly, warn
from atsite.core.copies.admin import DecisionAdmin
from atsite.core.errors import AtsiteError
from atsite.core.roles import Right, demand, may
from indexer.admin.columns import Named
from search.cleanup import jobs
from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from search.cleanup.jobs import Changed

#: The latest batches shown with a job; the sums are of all batches.
BATCHES_SHOWN: Final = 100
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


@admin.register(RepoCleanupJob)
class RepoCleanupJobAdmin(OwnPages, ViewOnly, Named, DecisionAdmin):
    list_display = (
        "who", "status", "progress", "records_deleted", "left", "before", "created_at", "finished_at",
    )  # fmt: skip
    list_filter = ("state",)
    search_fields = ("did", "job_id")
    actions = ("cancel", "retry")
    change_form_outer_after_template = "cleanup/job.html"
    fields = (
        "who", "status", "reason", "types", "cut_off", "requested_by",
        "created_at", "planned_at", "started_at", "next_at", "finished_at", "job_id",
    )  # fmt: skip
    readonly_fields = fields  # else the page of an old version would have a form
    own_pages: ClassVar[dict[str, str]] = {"cancel": "<int:pk>/cancel/", "retry": "<int:pk>/retry/"}
    url_rights: ClassVar[dict[str, Right]] = {
        "cleanup_repocleanupjob_cancel": Right.CANCEL_JOB,
        "cleanup_repocleanupjob_retry": Right.RETRY_JOB,
    }

    def heading(self, row: RepoCleanupJob) -> str:
        """The account of the job."""
        return f"Clean-up of {super().heading(row)}"

    @admin.display(description="state", ordering="state")
    def status(self, job: RepoCleanupJob) -> str:
        """The state as a coloured word."""
        return format_html('<span class="at-state {}">{}</span>', LOOKS[job.current_state], job.status)

    @admin.display(description="types")
    def types(self, job: RepoCleanupJob) -> str:
        """The types of records that it deletes."""
        return ", ".join(job.types)

    @admin.display(description="progress")
    def progress(self, job: RepoCleanupJob) -> str:
        """A bar, and the same in words."""
        bar = '<progress class="at-progress" max="100" value="{0}" aria-label="{0} % done"></progress> {0} %'
        return format_html(bar, job.percent)

    @admin.display(description="older than", ordering="cut_off")
    def before(self, job: RepoCleanupJob) -> str:
        """The day of the cut-off."""
        return f"{job.cut_off:%Y-%m-%d}"

    @admin.display(description="remaining")
    def left(self, job: RepoCleanupJob) -> int:
        """Records of the plan that are still to be deleted."""
        return job.remaining

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[RepoCleanupJob]) -> None:
        """Cancel the selected jobs."""
        moved = self._each(request, chosen, jobs.cancel)
        asked = sum(job.is_to_be_cancelled for job in moved)
        if len(moved) > asked:
            messages.success(request, f"{len(moved) - asked} cancelled.")
        if asked:
            messages.success(request, f"{asked} will be cancelled after the current batch.")

    @admin.action(description="Try again", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[RepoCleanupJob]) -> None:
        """Retry the selected jobs that failed."""
        if moved := self._each(request, chosen, jobs.retry):
            messages.success(request, f"{len(moved)} tried again.")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.CANCEL_JOB)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.RETRY_JOB)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = RepoCleanupJob.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        shown = {} if job is None else self._shown(request, job)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})  # type: ignore[no-any-return]

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then cancel the job."""
        demand(request, Right.CANCEL_JOB)
        return self._asked(request, pk, jobs.cancel, "cleanup/cancel.html", "Cancel this clean-up?")

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then retry the job."""
        demand(request, Right.RETRY_JOB)
        return self._asked(request, pk, jobs.retry, "cleanup/retry.html", "Try this clean-up again?")

    def _shown(self, request: HttpRequest, job: RepoCleanupJob) -> dict[str, Any]:
        """The context for the part of the page below the fields."""
        batches = job.batches.order_by("-number")
        return {
            "job": job,
            "batches": batches[:BATCHES_SHOWN],
            "sums": batches.aggregate(deleted=Sum("records_deleted"), gone=Sum("records_gone")),
            "batches_shown": BATCHES_SHOWN,
            "may_cancel": self.has_cancel_permission(request) and jobs.can_cancel(job),
            "may_retry": self.has_retry_permission(request) and jobs.can_retry(job),
        }

    def _asked(
        self, request: HttpRequest, pk: int, change: Callable[..., Changed], template: str, title: str
    ) -> HttpResponse:
        job = RepoCleanupJob.objects.filter(pk=pk).first()
        if job is None:
            messages.error(request, "This clean-up does not exist.")
            return HttpResponseRedirect(reverse("admin:cleanup_repocleanupjob_changelist"))
        if request.method != "POST":
            return self.own_page(request, template, title, job=job)
        moved = self._done(request, job, change)
        if moved is not None:
            messages.success(request, f"{moved.did}: {moved.status}.")
        return HttpResponseRedirect(reverse("admin:cleanup_repocleanupjob_change", args=[pk]))

    def _each(
        self, request: HttpRequest, chosen: QuerySet[RepoCleanupJob], change: Callable[..., Changed]
    ) -> list[RepoCleanupJob]:
        """Those that were changed."""
        return [moved for job in list(chosen) if (moved := self._done(request, job, change)) is not None]

    def _done(self, request: HttpRequest, job: RepoCleanupJob, change: Callable[..., Changed]) -> RepoCleanupJob | None:
        """Make the change and show errors and delays as messages; returns the job, or None if it was not changed."""
        try:
            moved = change(job.pk, by=request.user.get_username())
        except AtsiteError as error:
            messages.error(request, f"{job.did}: {error}.")
            return None
        self.log_change(request, moved.job, moved.job.status)
        warn(request, moved.late)
        return moved.job
