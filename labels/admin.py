"""Labels, their members, and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from atsite.publish.admin import DecisionAdmin
from labels.models import ActorLabel, Block, Label

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Label)
class LabelAdmin(DecisionAdmin):
    """A label stays: feeds and copies name it. Take its members off instead."""

    list_display = ("name", "meaning")
    search_fields = ("name", "meaning")
    fixed_fields = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _Signed(DecisionAdmin):
    """Rows that say who added them."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)


@admin.register(ActorLabel)
class ActorLabelAdmin(_Signed):
    list_display = ("did", "label", "note", "created_by", "created_at")
    list_filter = ("label",)
    search_fields = ("did", "note")
    fixed_fields = ("label", "did")
    readonly_fields = ("created_by", "created_at")
    list_select_related = ("label",)


@admin.register(Block)
class BlockAdmin(_Signed):
    list_display = ("subject", "feed", "note", "created_by", "created_at")
    list_filter = ("feed",)
    search_fields = ("subject", "note")
    readonly_fields = ("created_by", "created_at")
