"""API keys: made here and shown once, changed, revoked for good, never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.template.response import TemplateResponse
from django.utils import timezone

from apikeys import keys, usage
from apikeys.models import ApiKey, ApiKeyUsage, validate_feeds
from atsite.auth import SCOPES
from atsite.clickhouse.admin import ReadOnlyAdmin, register
from atsite.clickhouse.errors import ClickHouseError
from atsite.publish.admin import DecisionAdmin

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class FeedsField(forms.CharField):
    """Record keys, separated by spaces, commas or lines."""

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return sorted(set(str(value or "").replace(",", " ").split()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(sorted(initial or []) != self.to_python(data))


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    """Scopes to tick, feeds to type."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope}: {text}") for scope, text in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    feeds = FeedsField(
        required=False,
        validators=[validate_feeds],
        help_text="Record keys of the feeds it covers, with spaces between.",
    )

    class Meta:
        model = ApiKey
        fields = ("note", "user", "scopes", "feeds", "rate_limit", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(DecisionAdmin):
    form = ApiKeyForm
    list_display = ("key_id", "note", "user", "scopes", "feeds", "created_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("key_id", "note", "user__username")
    readonly_fields = ("key_id", "created_at", "revoked_at", "last_used")
    actions = ("revoke",)

    @admin.display(description="last used")
    def last_used(self, key: ApiKey) -> datetime | str:
        """When it was accepted last."""
        try:
            return usage.last_used(key.key_id, now=timezone.now()) or "never"
        except ClickHouseError:
            return "unknown while ClickHouse is away"

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        """End the chosen keys at once."""
        for key in chosen:
            key.revoke()
        messages.success(request, f"{len(chosen)} revoked: every service refuses them from now on.")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        key = keys.mint()
        obj.key_id, obj.secret_hash = key.id, key.hash
        super().save_model(request, obj, form, change)
        self._minted(request)[obj.key_id] = key.text

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the key: this answer is its only place (a message would wait in a cookie or session)."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Copy the key now",
            "opts": self.model._meta,
            "key": obj,
            "text": self._minted(request).pop(obj.key_id),
        }
        return TemplateResponse(request, "apikeys/shown_once.html", context)  # the admin's answers are never cached

    @staticmethod
    def _minted(request: HttpRequest) -> dict[str, str]:
        """Keys made by this request, by id."""
        minted: dict[str, str] = request.__dict__.setdefault("minted_keys", {})
        return minted

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@register(ApiKeyUsage)
class ApiKeyUsageAdmin(ReadOnlyAdmin):
    list_display = ("key_id", "hour", "uses", "last_used_at")
    search_prefix_fields = ("key_id",)
