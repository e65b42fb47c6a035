"""Labels, their members, changes of many, and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from atsite.publish.admin import DecisionAdmin
from indexer.admin_columns import Named
from labels.bulk_admin import BulkChangeAdmin
from labels.forms import BlockForm
from labels.members_admin import ActorLabelAdmin
from labels.models import ActorLabel, Block, BulkChange, Label
from labels.uses import uses

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(Label)
class LabelAdmin(DecisionAdmin):
    """A label stays: feeds and copies name it. Take its members off instead."""

    list_display = ("name", "meaning", "members", "used_by")
    search_fields = ("name", "meaning")
    fixed_fields = ("name",)
    readonly_fields = ("members", "used_by")

    @admin.display(description="members")
    def members(self, label: Label) -> SafeString | str:
        """How many carry it, and the way to them."""
        if not label.pk:
            return ""
        count = ActorLabel.objects.filter(label=label).count()
        url = f"{reverse('admin:labels_actorlabel_changelist')}?label__id__exact={label.pk}"
        return format_html('<a class="at-link" href="{}">{}</a>', url, count)

    @admin.display(description="used by")
    def used_by(self, label: Label) -> SafeString | str:
        """The feeds that name it."""
        return format_html_join(", ", '<a class="at-link" href="{}">{}</a> ({})', _used(label.name)) or "no feed"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _used(label: str) -> list[tuple[str, str, str]]:
    return [(use.url, use.name, use.how) for use in uses().get(label, ())]


class _Signed(DecisionAdmin):
    """Rows that say who added them."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)


@admin.register(Block)
class BlockAdmin(Named, _Signed):
    form = BlockForm
    list_display = ("who", "what", "where", "note", "created_by", "created_at")
    list_filter = ("feed",)
    search_fields = ("subject", "note")
    search_help_text = "A part of a did, of an at-uri or of the note."
    readonly_fields = ("created_by", "created_at")

    @admin.display(description="what")
    def what(self, block: Block) -> str:
        """All that the actor writes, or one post."""
        return block.subject if block.subject.startswith("at://") else "everything"

    @admin.display(description="where", ordering="feed")
    def where(self, block: Block) -> str:
        """The feed, or everywhere."""
        return block.feed or "everywhere"

    def did_of(self, row: Block) -> str:
        """The actor, also of a post."""
        return row.subject.removeprefix("at://").partition("/")[0]


admin.site.register(ActorLabel, ActorLabelAdmin)
admin.site.register(BulkChange, BulkChangeAdmin)
