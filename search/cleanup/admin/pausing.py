"""The pause of all clean-ups: a note on the list of jobs, and a page that asks before it changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from atsite.core.admin_base import OwnPages
from atsite.core.roles import Right, demand, may
from search.cleanup import pause
from search.cleanup.access import sessions
from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import GRAPH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import ClassVar

_LIST = "admin:cleanup_repocleanupjob_changelist"


class Pausing(OwnPages):
    """Mixin for the admin of jobs."""

    list_before_template = "cleanup/jobs.html"
    own_pages: ClassVar[Mapping[str, str]] = {"pause": "pause/"}
    url_rights: ClassVar[dict[str, Right]] = {"cleanup_repocleanupjob_pause": Right.PAUSE_CLEANUPS}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {
            "offered": bool(sessions.sealer()),
            "pause": pause.pause_in_force(),
            "may_pause": may(request.user, Right.PAUSE_CLEANUPS),
        }
        return super().changelist_view(request, {**(extra_context or {}), **shown})  # type: ignore[no-any-return]

    def pause_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, then pause all clean-ups or let them go on. The form says which, not the state of the moment."""
        demand(request, Right.PAUSE_CLEANUPS)
        wanted = request.POST.get("do", "")
        if wanted not in ("pause", "go on"):
            in_force = pause.pause_in_force()
            title = "Let the clean-ups go on?" if in_force else "Pause all clean-ups?"
            active = RepoCleanupJob.objects.filter(state__in=GRAPH.active).count()
            return self.own_page(request, "cleanup/pause.html", title, pause=in_force, active=active)
        self._set(request, paused=wanted == "pause")
        return HttpResponseRedirect(reverse(_LIST))

    def _set(self, request: HttpRequest, *, paused: bool) -> None:
        changed = pause.set_paused(paused, by=request.user.get_username())
        if changed is None:
            messages.info(request, f"The clean-ups were {'paused' if paused else 'going on'} already.")
            return
        self.log_change(request, changed, "Paused all clean-ups." if paused else "Let all clean-ups go on.")
        messages.success(
            request,
            "All clean-ups are paused: those that a worker has stop after their current batch."
            if paused
            else "The clean-ups go on within two minutes.",
        )
