"""The admin of members: which actors have which label; adding one or many, removing, history and export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action

from atsite.core.admin_base import CompletesRows
from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.copies.admin import DecisionAdmin
from atsite.core.roles import Right, may
from indexer.index import pasted_identifiers
from indexer.index.handles import UNVERIFIED
from indexer.index.models import Backfill
from labels import bulk_changes, bulk_plan, queries
from labels.admin import list_import
from labels.admin.actor_page import ActorPages, backfill_badge
from labels.admin.export import rows_as_csv
from labels.admin.forms import BulkForm, ListForm, MemberForm
from labels.admin.names import author_names, called, names_or_warning
from labels.change_author import Via, acting
from labels.models import ActorLabel

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

    from indexer.index.handles import Name

log = structlog.get_logger(__name__)

#: Maximum characters shown of an untrusted name.
NAME_CHARACTERS = 64


class ActorLabelAdmin(ActorPages, CompletesRows, DecisionAdmin):
    form = MemberForm
    list_display = ("actor", "label", "note", "fetched", "added_by", "created_at")
    list_filter = ("label",)
    search_fields = ("did", "label__name")
    search_help_text = "The beginning of a handle, a did, or a label."
    fixed_fields = ("label", "did")
    readonly_fields = ("page", "added_by", "created_at")
    history_list_display = ("author",)
    list_select_related = ("label",)
    list_per_page = 50
    ordering = ("-created_at", "pk")
    actions = ("remove_label",)
    actions_list = ("bulk_add", "import_list", "bulk_remove", "export")
    url_rights = {
        **ActorPages.url_rights,
        "labels_actorlabel_bulk_add": Right.BULK_LABEL,
        "labels_actorlabel_import_list": Right.BULK_LABEL,
        "labels_actorlabel_bulk_remove": Right.BULK_LABEL,
        "labels_actorlabel_export": Right.EXPORT_LABELS,
    }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The actor and the label are entered once and read-only afterwards."""
        who = "did" if obj is None else "page"
        noted = () if obj is None else ("added_by", "created_at")
        return [who, "label", "note", *noted]

    # The list

    @admin.display(description="actor", ordering="did")
    def actor(self, row: ActorLabel) -> SafeString:
        """Handle, name and did, as far as they are known."""
        known: Name | None = row.__dict__.get("known")
        handle, name = (known.handle, known.display_name) if known else ("", "")
        none = UNVERIFIED if known and known.unverified else "no handle known"
        return format_html(
            '<bdi class="at-foreign">{}</bdi>{}<small class="at-mono">{}</small>',
            f"@{handle}" if handle else none,
            format_html('<bdi class="at-foreign">{}</bdi>', name[:NAME_CHARACTERS]) if name else "",
            row.did,
        )

    @admin.display(description="actor")
    def page(self, row: ActorLabel) -> SafeString:
        """Handle and did, with a link to the actor's page."""
        url = reverse("admin:labels_actorlabel_actor", args=(row.did,))
        return format_html(
            '<a class="at-link" href="{}"><bdi class="at-foreign">{}</bdi></a><small class="at-mono">{}</small>',
            url,
            _named(row).called,
            row.did,
        )

    @admin.display(description="earlier posts")
    def fetched(self, row: ActorLabel) -> SafeString:
        """The state of the actor's backfill."""
        return backfill_badge(row.__dict__.get("backfill"))

    @admin.display(description="created by", ordering="created_by")
    def added_by(self, row: ActorLabel) -> str:
        """Who added the label: a user, or an API key by its note."""
        return str(row.__dict__.get("added_by") or author_names({row.created_by})[row.created_by])

    def author(self, entry: Any) -> str:
        """Who made the change in an entry of the history."""
        return author_names({entry.changed_by})[entry.changed_by]

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the names, backfills and creators of the members, from one query each."""
        dids = {row.did for row in rows}
        known = names_or_warning(request, dids)
        fetched = {each.did: each for each in Backfill.objects.filter(did__in=dids)}
        authors = author_names({row.created_by for row in rows})
        for row in rows:
            row.__dict__.update(
                known=known.get(row.did), backfill=fetched.get(row.did), added_by=authors[row.created_by]
            )

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[ActorLabel], term: str
    ) -> tuple[QuerySet[ActorLabel], bool]:
        """Search by the beginning of a did, a label or a handle; handles are only in ClickHouse."""
        term = pasted_identifiers.search_term(term)
        if not term:
            return rows, False
        try:
            dids = queries.dids_by_handle(term)
        except ClickHouseError as error:
            log.warning("members.search_without_handles", error=type(error).__name__)
            messages.warning(request, "ClickHouse does not answer: only dids and labels were searched, not handles.")
            dids = []
        return rows.filter(Q(did__startswith=term) | Q(label__name__startswith=term) | Q(did__in=dids)), False

    # One member

    def heading(self, row: ActorLabel) -> str:
        """The actor and the label."""
        return str(_named(row))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, with the handle set for Django's messages about it."""
        row = super().get_object(request, object_id, from_field)
        return None if row is None else _named(row)

    def save_model(self, request: HttpRequest, obj: ActorLabel, form: Any, change: bool) -> None:
        name = request.user.get_username()
        if not change:
            obj.created_by = name
        with acting(name, Via.ADMIN):
            super().save_model(request, obj, form, change)
        found = None if change else form.fields["did"].found
        if found is not None and found.handle:
            obj.called = f"@{found.handle}"
        if found is not None and found.warning:
            messages.warning(request, f"{found.warning} It was saved unchecked.")

    def delete_model(self, request: HttpRequest, obj: ActorLabel) -> None:
        with acting(request.user.get_username(), Via.ADMIN):
            super().delete_model(request, obj)
        url = reverse("admin:labels_actorlabel_actor", args=(obj.did,))
        messages.info(request, format_html('You can undo this on <a href="{}">the page of the actor</a>.', url))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ActorLabel]) -> None:
        with acting(request.user.get_username(), Via.ADMIN):
            super().delete_queryset(request, queryset)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without Django's delete action: `remove_label` shows a plan first and can be undone."""
        return {name: entry for name, entry in super().get_actions(request).items() if name != "delete_selected"}

    @admin.action(description="Remove the label…", permissions=["bulk_label"])
    def remove_label(self, request: HttpRequest, chosen: QuerySet[ActorLabel]) -> HttpResponse | None:
        """Remove the label from the selected members, after a plan is shown and confirmed."""
        rows = list(chosen[: bulk_plan.MAX_LINES])
        labels = {row.label for row in rows}
        if len(labels) != 1:
            messages.error(
                request, "These members have different labels: choose one label in the filter first, then tick members."
            )
            return None
        dids = [Did(row.did) for row in rows]
        change = bulk_changes.plan_for_dids(labels.pop(), dids, giving=False, by=request.user.get_username())
        return _to_change(change.pk)

    # Pages

    def has_bulk_label_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.BULK_LABEL)

    def has_export_labels_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.EXPORT_LABELS)

    @action(description="Add many", url_path="add-many", permissions=["bulk_label"], icon="group_add")  # type: ignore[untyped-decorator]
    def bulk_add(self, request: HttpRequest) -> HttpResponse:
        """Add a label to a pasted list of accounts."""
        return self._bulk(request, giving=True, title="Add a label in bulk")

    @action(description="Import a list", url_path="import-list", permissions=["bulk_label"], icon="playlist_add")  # type: ignore[untyped-decorator]
    def import_list(self, request: HttpRequest) -> HttpResponse:
        """Add a label to the members of a list of the network, after they are shown and confirmed."""
        form = ListForm(request.POST or None, initial={"label": request.GET.get("label")})
        if request.method == "POST" and form.is_valid() and form.found is not None:
            label, user = form.cleaned_data["label"], request.user.get_username()
            change = list_import.plan(label, form.found, by=user, note=form.cleaned_data["note"])
            self.log_change(request, label, list_import.sentence(form.found))
            return _to_change(change.pk)
        lead = (
            "Paste the address of a list. Its members are read from the server of its owner, and you see what would "
            "happen, account by account, before anything is changed. The list is read once: later changes of it do not "
            "change the label."
        )
        return self.own_page(request, "labels/bulk.html", "Import a list into a label", form=form, lead=lead)

    @action(description="Remove many", url_path="take-off-many", permissions=["bulk_label"], icon="group_remove")  # type: ignore[untyped-decorator]
    def bulk_remove(self, request: HttpRequest) -> HttpResponse:
        """Remove a label from a pasted list of accounts."""
        return self._bulk(request, giving=False, title="Remove a label in bulk")

    @action(description="Download CSV", url_path="export", permissions=["export_labels"], icon="download")  # type: ignore[untyped-decorator]
    def export(self, request: HttpRequest) -> HttpResponse:
        """All members, or those of `?label=`, as CSV."""
        rows = ActorLabel.objects.order_by("label_id", "did")
        label = request.GET.get("label", "")
        if label:
            rows = rows.filter(label_id=label)
        name = f"members-{label or 'all'}-{timezone.now():%Y-%m-%d}.csv"
        response = StreamingHttpResponse(
            rows_as_csv(rows.iterator(chunk_size=1_000)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response  # type: ignore[return-value]  # a streaming response is one to Django

    def _bulk(self, request: HttpRequest, *, giving: bool, title: str) -> HttpResponse:
        form = BulkForm(request.POST or None, request.FILES or None, initial={"label": request.GET.get("label")})
        if not giving:
            del form.fields["note"]
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            change = bulk_changes.plan(
                given["label"],
                given["text"],
                giving=giving,
                by=request.user.get_username(),
                note=given.get("note", ""),
            )
            return _to_change(change.pk)
        what = "label" if giving else "remove"
        lead = f"Paste the accounts to {what}. You see what would happen, line by line, before anything is changed."
        return self.own_page(request, "labels/bulk.html", title, form=form, lead=lead)


def _named(row: ActorLabel) -> ActorLabel:
    """The row with `called` set, looked up once."""
    row.called = row.called or called(row.did)
    return row


def _to_change(pk: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:labels_bulkchange_change", args=(pk,)))
