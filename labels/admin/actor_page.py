"""The page of one actor: its labels, the history of its labels, undo of a removal, and the backfill of its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import mark_safe

from atsite.core.admin_base import OwnPages, warn
from atsite.core.atproto.syntax import Did, is_did
from atsite.core.clickhouse.admin import address
from atsite.core.copies.errors import ChangedMeanwhile
from atsite.core.roles import Right, demand, may
from indexer.admin.backfills import LOOKS
from indexer.backfill import jobs
from indexer.index.models import Actor, Backfill
from labels import membership
from labels.admin.names import author_names, called, names_or_warning
from labels.models import ActorLabel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.utils.safestring import SafeString

#: Entries of the history on the page.
HISTORY_ROWS = 200


class ActorPages(OwnPages):
    """Mixin for the admin of members."""

    own_pages = {
        "actor": "actor/<str:did>/",
        "restore": "<int:pk>/restore/",
        "fetch": "actor/<str:did>/fetch/",
    }
    url_rights = {
        "labels_actorlabel_actor": "view",
        "labels_actorlabel_restore": "add",
        "labels_actorlabel_fetch": Right.BACKFILL,
    }

    def actor_view(self, request: HttpRequest, did: str) -> HttpResponse:
        """One actor: its labels, and their history."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not is_did(did):
            raise Http404("This is not a valid did.")
        rows = list(ActorLabel.every.filter(did=did).order_by("label_id"))
        known = names_or_warning(request, {did}).get(did)
        history = ActorLabel.history.filter(did=did).order_by("-history_date", "-history_id")[: HISTORY_ROWS + 1]
        context = {
            "did": did,
            "known": known,
            "labels": [row for row in rows if not row.deleted],
            "removed_labels": [row for row in rows if row.deleted],
            "changes": list(_changes(list(history)[:HISTORY_ROWS])),
            "more": len(history) > HISTORY_ROWS,
            "backfill": (backfill := Backfill.objects.filter(did=did).first()),
            "fetched": backfill_badge(backfill),
            "may_add": self.has_add_permission(request),
            "add_url": f"{reverse('admin:labels_actorlabel_add')}?{urlencode({'did': did})}",
            "indexed_url": _indexed(did) if known and request.user.has_perm("indexer.view_actor") else "",
            "may_fetch": bool(rows) and may(request.user, Right.BACKFILL),
        }
        title = f"@{known.handle}" if known and known.handle else did
        return self.own_page(request, "labels/actor.html", title, **context)

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add back a removed label, with its note, if it was not changed since the page was shown."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        row = get_object_or_404(ActorLabel.every, pk=pk)
        back = _to_actor(row.did)
        if request.method != "POST":
            return back
        version = request.POST.get("version", "")
        try:
            change = membership.restore(pk, int(version) if version.isdecimal() else 0, by=request.user.get_username())
        except ChangedMeanwhile as error:
            messages.error(request, str(error))
            return back
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return back
        self.log_change(request, row, "Restored the label.")
        messages.success(request, f"{called(row.did)} has the label {row.label_id} again.")
        warn(request, change.late)
        return back

    def fetch_view(self, request: HttpRequest, did: str) -> HttpResponse:
        """Request a backfill of the actor."""
        demand(request, Right.BACKFILL)
        if request.method == "POST" and ActorLabel.every.filter(did=did).exists():
            jobs.ask(Did(did))
            self.log_change(request, Backfill.objects.get(did=did), "Requested.")
            messages.success(request, "Its earlier records will be fetched within the next few minutes.")
        return _to_actor(did)


def backfill_badge(backfill: Backfill | None) -> SafeString:
    """The state of a backfill as a coloured word, the same on every page."""
    if backfill is None:
        return mark_safe('<span class="at-state at-quiet">not requested</span>')
    state = Backfill.State(backfill.state)
    return format_html(
        '<span class="at-state {}" title="{}">{}</span>', LOOKS.get(state, "at-look"), backfill.reason, state.label
    )


def _indexed(did: str) -> str:
    """The URL of the indexed actor's page."""
    return reverse("admin:indexer_actor_change", args=(quote(address(Actor(did=did))),))


def _changes(history: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Entries of the history, newest first, each with what it changed."""
    before: dict[str, Any] = {}
    names = author_names({entry.changed_by for entry in history})
    changes = []
    for entry in reversed(history):
        former = before.get(entry.label_id)
        if entry.deleted:
            what = "removed"
        elif former is None or former.deleted:
            what = "added" if former is None else "added again"
        else:
            what = f"note: {entry.note or 'none'}"
        before[entry.label_id] = entry
        author = names[entry.changed_by] or getattr(entry.history_user, "username", "") or "someone"
        changes.append({"entry": entry, "what": what, "author": author, "via": entry.get_changed_via_display()})
    yield from reversed(changes)


def _to_actor(did: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:labels_actorlabel_actor", args=(did,)))
