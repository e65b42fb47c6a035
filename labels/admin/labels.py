"""The admin of labels and blocks; registers the admins of members and bulk changes too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from atsite.core.copies.admin import DecisionAdmin
from atsite.core.roles import Right, may
from indexer.admin.columns import Named
from labels.admin.bulk_changes import BulkChangeAdmin
from labels.admin.forms import BlockForm
from labels.admin.members import ActorLabelAdmin
from labels.models import ActorLabel, Block, BulkChange, Label
from labels.uses import uses

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


@admin.register(Label)
class LabelAdmin(DecisionAdmin):
    """A label can be deleted once it has no members and no feed uses it."""

    list_display = ("name", "meaning", "members", "used_by")
    search_fields = ("name", "meaning")
    fields = ("name", "meaning", "members", "used_by")
    fixed_fields = ("name",)
    readonly_fields = ("members", "used_by")
    change_form_outer_before_template = "labels/label_next.html"

    @admin.display(description="members")
    def members(self, label: Label) -> SafeString | str:
        """The number of members, with a link to them."""
        if not label.pk:
            return ""
        count = ActorLabel.objects.filter(label=label).count()
        url = f"{reverse('admin:labels_actorlabel_changelist')}?label__id__exact={label.pk}"
        return format_html('<a class="at-link" href="{}">{}</a>', url, count)

    @admin.display(description="used by")
    def used_by(self, label: Label) -> SafeString | str:
        """The feeds that use it."""
        return format_html_join(", ", '<a class="at-link" href="{}">{}</a> ({})', _used(label.name)) or "no feed"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:
        label = options.get("obj")
        context["next"] = [] if label is None else _next(request, label.name)
        return super().render_change_form(request, context, **options)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only from the page of one label, which shows its members and the feeds that use it."""
        return obj is not None and not obj.why_it_stays() and super().has_delete_permission(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """As Django's; but who may delete labels is told what uses this one, not that their role is too low."""
        label = self.get_object(request, unquote(object_id))
        if label is not None and super().has_delete_permission(request, label) and (reason := label.why_it_stays()):
            messages.error(request, reason)
            return redirect("admin:labels_label_change", object_id)
        return super().delete_view(request, object_id, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], Any]:
        """Former members and ended bulk changes go with a label and need no confirmation."""
        return [str(label) for label in objs], {"labels": len(objs)}, set(), []


def _next(request: HttpRequest, label: str) -> list[tuple[str, str]]:
    """Links to next steps with a label, as far as this user may."""
    ways = []
    if may(request.user, Right.BULK_LABEL):
        query = urlencode({"label": label})
        ways.append(("Add members", f"{reverse('admin:labels_actorlabel_bulk_add')}?{query}"))
        ways.append(("Import a list", f"{reverse('admin:labels_actorlabel_import_list')}?{query}"))
    if label not in uses() and request.user.has_perm("feeds.add_feeddefinition"):
        query = urlencode({"kind": "label", "parameter_label": label})  # as the form of feeds takes it
        ways.append(("Create a feed from it", f"{reverse('admin:feeds_feeddefinition_add')}?{query}"))
    return ways


def _used(label: str) -> list[tuple[str, str, str]]:
    return [(use.url, use.name, use.how) for use in uses().get(label, ())]


@admin.register(Block)
class BlockAdmin(Named, DecisionAdmin):
    form = BlockForm
    list_display = ("who", "what", "where", "note", "created_by", "created_at")
    list_filter = ("feed",)
    search_fields = ("subject", "note")
    search_help_text = "Part of a did, an at-uri or the note."
    readonly_fields = ("created_by", "created_at")

    @admin.display(description="what")
    def what(self, block: Block) -> str:
        """Everything by the actor, or one post."""
        return block.subject if block.subject.startswith("at://") else "everything"

    @admin.display(description="where", ordering="feed")
    def where(self, block: Block) -> str:
        """The feed, or everywhere."""
        return block.feed or "everywhere"

    def did_of(self, row: Block) -> str:
        """The actor, or the author of the post."""
        return row.subject.removeprefix("at://").partition("/")[0]

    def save_model(self, request: HttpRequest, obj: Block, form: Any, change: bool) -> None:
        """Store who added the row."""
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)


admin.site.register(ActorLabel, ActorLabelAdmin)
admin.site.register(BulkChange, BulkChangeAdmin)
