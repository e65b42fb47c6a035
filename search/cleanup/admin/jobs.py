"""The admin of clean-up jobs: progress, plan, batches, cancel and retry. Jobs are created by their owners.

No page shows a secret, the rules of an owner (which may have texts), or at-uris of a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from atsite.core.admin_base import ViewOnly, warn
from atsite.core.copies.admin import DecisionAdmin
from atsite.core.errors import AtsiteError
from atsite.core.roles import Right, demand, may
from search.cleanup import jobs
from search.cleanup.access import sessions
from search.cleanup.admin.job_columns import JobColumns
from search.cleanup.admin.pausing import Pausing
from search.cleanup.admin.plan_in_words import in_words
from search.cleanup.admin.searching import SearchedByAccount
from search.cleanup.models import RefusedAccount, RepoCleanupJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import QuerySet

    from search.cleanup.jobs import Changed

#: The latest batches shown with a job; the sums are of all batches.
BATCHES_SHOWN: Final = 100


@admin.register(RepoCleanupJob)
class RepoCleanupJobAdmin(Pausing, SearchedByAccount, ViewOnly, JobColumns, DecisionAdmin):
    list_display = (
        "who", "status", "progress", "done", "left", "created_at", "finished_at",
    )  # fmt: skip
    list_filter = ("state", "kind")
    search_fields = ("did", "job_id", "handle")
    search_help_text = "A handle, a did, the address of a profile, or the id of a clean-up."
    actions = ("cancel", "retry")
    change_form_outer_after_template = "cleanup/job.html"
    fields = (
        "who", "signed_in_as", "kind", "other_job", "status", "why", "stage", "next_at", "record_types", "cut_off",
        "permission", "confirmed_at", "outcome", "kept_backup", "requested_by",
        "created_at", "planned_at", "started_at", "finished_at", "job_id",
    )  # fmt: skip
    readonly_fields = fields  # else the page of an old version would have a form
    own_pages: ClassVar[Mapping[str, str]] = {
        **Pausing.own_pages,
        "cancel": "<int:pk>/cancel/",
        "retry": "<int:pk>/retry/",
    }
    url_rights: ClassVar[dict[str, Right]] = {
        **Pausing.url_rights,
        "cleanup_repocleanupjob_cancel": Right.CANCEL_JOB,
        "cleanup_repocleanupjob_retry": Right.RETRY_JOB,
    }

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
        sums = job.batches.aggregate(
            all=Count("pk"),
            begun=Count("pk", filter=Q(began_at__isnull=False)),
            with_error=Count("pk", filter=~Q(error="")),
            deleted=Sum("records_deleted", default=0),
            gone=Sum("records_gone", default=0),
        )
        return {
            "job": job,
            "plan": in_words(job.plan),
            "batches": job.batches.filter(began_at__isnull=False).order_by("-number")[:BATCHES_SHOWN],
            "sums": sums,
            "batches_shown": BATCHES_SHOWN,
            "may_cancel": self.has_cancel_permission(request) and jobs.can_cancel(job),
            "may_retry": self.has_retry_permission(request) and jobs.can_retry(job),
            "sign_in": _needs_sign_in(job),
            "refused": RefusedAccount.is_refused(job.did),
        }

    def _asked(
        self, request: HttpRequest, pk: int, change: Callable[..., Changed], template: str, title: str
    ) -> HttpResponse:
        job = RepoCleanupJob.objects.filter(pk=pk).first()
        if job is None:
            messages.error(request, "This clean-up does not exist.")
            return HttpResponseRedirect(reverse("admin:cleanup_repocleanupjob_changelist"))
        if request.method != "POST":
            return self.own_page(request, template, title, job=job, sign_in=_needs_sign_in(job))
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


def _needs_sign_in(job: RepoCleanupJob) -> bool:
    """Whether a failed job waits, after a retry, until its owner has signed in again."""
    return jobs.can_retry(job) and job.permitted and not sessions.has_session(job)
