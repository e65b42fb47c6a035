"""Bulk changes in the admin: the plan, its confirmation, progress, and undo. Loading the page does the work."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from atsite.core.admin_base import OwnPages, ViewOnly, warn
from atsite.core.copies.outcome import watched
from atsite.core.roles import Right, demand, may
from labels import bulk_changes
from labels.bulk_changes import Conflict
from labels.bulk_plan import Line, Status
from labels.models import BulkChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = BulkChange.State

#: States in which the page does work.
WORKING = (State.FINDING, State.APPLYING)
#: States in which nothing more is changed.
ENDED = (State.DONE, State.CANCELLED, State.FAILED)
LINES_PER_PAGE = 100
#: Text and colour of each status, in the order of the page: those that need attention come first.
_MEANINGS: Mapping[Status, tuple[str, str]] = {
    Status.UNRESOLVABLE: ("not found", "at-act"),
    Status.INVALID: ("not a handle or did", "at-act"),
    Status.NEW: ("will be changed", "at-ok"),
    Status.ALREADY: ("nothing to do", "at-quiet"),
    Status.DUPLICATE: ("duplicate", "at-quiet"),
    Status.PENDING: ("not looked up yet", "at-look"),
}
_ORDER = {status: place for place, status in enumerate(_MEANINGS)}
#: Text and colour of applied lines, by whether they changed anything.
_OUTCOMES: Mapping[bool, tuple[str, str]] = {True: ("changed", "at-ok"), False: ("no change needed", "at-quiet")}
_LEFT = ("not changed", "at-quiet")


class BulkChangeAdmin(OwnPages, ViewOnly):
    """The list of bulk changes, and a page for each."""

    list_display = ("created_at", "label", "what", "size", "state", "created_by")
    list_filter = ("state", "giving", "label")
    list_select_related = ("label",)
    actions = None

    @admin.display(description="what")
    def what(self, change: BulkChange) -> str:
        """What the change does, in words."""
        text = "add" if change.giving else "remove"
        return f"undo: {text}" if change.undoes_id else text

    @admin.display(description="lines")
    def size(self, change: BulkChange) -> int:
        """The number of lines."""
        return len(change.lines)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The plan, or its progress. While there is work, each request does one step, and the page reloads itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        change = get_object_or_404(BulkChange, pk=object_id if object_id.isdecimal() else 0)
        if request.method == "POST":
            return self._act(request, change)
        with watched() as outcome:
            if may(request.user, Right.BULK_LABEL):
                try:
                    bulk_changes.advance(change)
                except Conflict:
                    change.refresh_from_db()
        asked_by_script = request.headers.get("accept") == "application/json"  # static/atsite/progress.js
        if not asked_by_script or change.state not in WORKING:
            warn(request, outcome.late)
        if asked_by_script:
            done = _done(change, bulk_changes.lines(change))
            return JsonResponse({"done": done, "working": change.state in WORKING})
        return self._shown(request, change)

    def _act(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        """Confirm, cancel, look up again, retry or undo, if the form was made from the current state."""
        demand(request, Right.BULK_LABEL)
        shown = change
        try:
            if request.POST.get("fence") != str(change.fence):
                raise Conflict("This change is no longer in the state you saw. This is its current state.")
            match request.POST.get("do"):
                case "confirm":
                    bulk_changes.confirm(change)
                    self.log_change(request, change, "Confirmed: add." if change.giving else "Confirmed: remove.")
                case "cancel":
                    bulk_changes.cancel(change, by=request.user.get_username())
                    self.log_change(request, change, "Cancelled.")
                case "again":
                    bulk_changes.retry_lookups(change)
                case "retry":
                    bulk_changes.retry(change)
                    self.log_change(request, change, "Tried again.")
                case "undo":
                    shown = bulk_changes.undo(change, by=request.user.get_username())
                    self.log_change(request, change, "Undone.")
        except Conflict as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:labels_bulkchange_change", args=(shown.pk,)))

    def _shown(self, request: HttpRequest, change: BulkChange) -> HttpResponse:
        lines = bulk_changes.lines(change)
        ordered = sorted(lines, key=lambda line: (_ORDER[line.status], line.number))
        found = Counter(_meaning(line, change) for line in ordered)  # in the order in which they come first
        new = sum(line.status is Status.NEW for line in lines)
        changed = sum(line.changed is True for line in lines)
        pages = Paginator(ordered, LINES_PER_PAGE)
        page = pages.get_page(request.GET.get("page"))
        context = {
            "change": change,
            "working": change.state in WORKING,
            "ready": change.state == State.READY,
            "done": _done(change, lines),
            "counts": [(*meaning, number) for meaning, number in found.items()],
            "new": new,
            "what": "Result" if change.state in ENDED else "What will happen",
            "result": result_sentence(change, changed=changed, others=new - changed),
            "passing": sum(line.passing for line in lines),
            "changed": changed,
            "lines": [(line, *_meaning(line, change)) for line in page],
            "page": page,
            "undone": hasattr(change, "undone_by"),
            "may_act": may(request.user, Right.BULK_LABEL),
        }
        title = f"{'Add' if change.giving else 'Remove'} the label “{change.label_id}”"
        return self.own_page(request, "labels/bulk_change.html", title, **context)


def result_sentence(change: BulkChange, *, changed: int, others: int) -> str:
    """The result of a finished change. `others`: actors for which another change had done the same before."""
    did = "added to" if change.giving else "removed from"
    first = f"“{change.label_id}” was {did} {_actors(changed)}." if changed else "Nothing was changed."
    if not others:
        return first
    before = "already had it" if change.giving else "no longer had it"
    return f"{first} {_actors(others)} {before}, because another change came first."


def _actors(number: int) -> str:
    return f"{number:,} actor{'' if number == 1 else 's'}"


def _meaning(line: Line, change: BulkChange) -> tuple[str, str]:
    """The text for a line's result, or expected result, and its colour."""
    if line.changed is not None:
        return _OUTCOMES[line.changed]
    return _LEFT if line.status is Status.NEW and change.state in ENDED else _MEANINGS[line.status]


def _done(change: BulkChange, lines: Sequence[Line]) -> int:
    """The number of lines that are done in the current stage."""
    if change.state == State.FINDING:
        return sum(line.status is not Status.PENDING or bool(line.did) for line in lines)
    return sum(line.changed is not None or line.status is not Status.NEW for line in lines)
