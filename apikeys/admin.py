"""The admin of API keys: create (shown once), change, rotate, revoke; keys are never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from apikeys import keys, usage
from apikeys.forms import ApiKeyForm, RotationForm
from apikeys.key_status import ALREADY_CREATED, FORM_OUTDATED, REVOKED, status_of
from apikeys.models import ApiKey, ApiKeyUsage
from apikeys.rotation import old_secret_works, overlap_in_words
from atsite.core import charts
from atsite.core.admin_base import CompletesRows, OwnPages, warn
from atsite.core.clickhouse.admin import ReadOnlyAdmin, register
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.copies import versions
from atsite.core.copies.admin import DecisionAdmin
from atsite.core.copies.errors import ChangedMeanwhile
from atsite.core.copies.outcome import watched
from atsite.core.roles import Right, demand, may
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apikeys.keys import Key
    from apikeys.usage import KeyUsage

#: Days of the chart, and of the count in the list.
DAYS: Final = 30
AWAY: Final = "unknown: ClickHouse does not answer"


class _AlreadyCreated(Exception):
    """The form of a new key was sent twice."""

    def __init__(self, pk: int) -> None:
        super().__init__(pk)
        self.pk = pk


@admin.register(ApiKey)
class ApiKeyAdmin(OwnPages, CompletesRows, DecisionAdmin):
    form = ApiKeyForm
    list_display = ("key_id", "note", "user", "status", "scopes_and_feeds", "last_used", "uses", "created_at")
    list_select_related = ("user",)
    search_fields = ("key_id", "note", "user__username")
    readonly_fields = ("key_id", "status", "created_at")
    actions = ("revoke",)
    own_pages = {
        "rotate": "<int:pk>/rotate/",
        "revoke": "<int:pk>/revoke/",
        "end_old": "<int:pk>/end-old-secret/",
    }
    url_rights = {
        "apikeys_apikey_rotate": Right.ROTATE_KEY,
        "apikeys_apikey_end_old": Right.ROTATE_KEY,
        "apikeys_apikey_revoke": Right.REVOKE_KEY,
    }
    change_form_outer_before_template = "apikeys/do.html"
    change_form_outer_after_template = "apikeys/use.html"

    @admin.display(description="state")
    def status(self, key: ApiKey) -> str:
        """The status as a coloured word."""
        word, _, rest = status_of(key).replace(";", "").partition(" ")
        colour = {"active": "at-ok", "expired": "at-look"}.get(word, "at-act")
        return format_html('<span class="at-state {}">{}</span> {}', colour, word, rest)

    @admin.display(description="scopes")
    def scopes_and_feeds(self, key: ApiKey) -> str:
        """The scopes, and the feeds that the key covers."""
        scopes = ", ".join(key.scopes)
        return f"{scopes}: {', '.join(key.feeds)}" if key.feeds else scopes

    @admin.display(description="last used (UTC)")
    def last_used(self, key: ApiKey) -> str:
        """When the key was last accepted."""
        return _moment(_use(key))

    @admin.display(description=f"uses in {DAYS} days")
    def uses(self, key: ApiKey) -> str:
        """How often the key was accepted."""
        return AWAY if (use := _use(key)) is None else str(use.uses)

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the use of the keys, from one query."""
        for row, use in zip(rows, _uses(rows), strict=True):
            row.__dict__["use"] = use

    @admin.action(description="Revoke permanently", permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        """Revoke the selected keys at once."""
        with transaction.atomic(using=DEFAULT):
            versions.lock()  # before the rows are read: a change meanwhile must not keep a key alive
            ended = [key for key in chosen if key.revoked_at is None]
            for key in ended:
                key.revoke()
                self.log_change(request, key, "Revoked.")
        messages.success(request, f"{len(ended)} revoked: every service refuses them from now on.")

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask how long the current secret keeps working, then show the new one, once."""
        demand(request, Right.ROTATE_KEY)
        row = ApiKey.objects.filter(pk=pk).first()
        if row is None or row.revoked_at is not None:
            return self._back(request, pk, "This key was revoked: create a new one.")
        form = RotationForm(request.POST or None, initial={"version": row.time_us})
        if request.method != "POST" or not form.is_valid():
            return self.own_page(request, "apikeys/rotate.html", f"New secret for {row.key_id}", key=row, form=form)
        row.time_us = form.cleaned_data["version"]
        key, overlap = keys.rotated(row.key_id), form.cleaned_data["overlap"]
        with watched() as outcome:
            try:
                row.rotate(key, overlap=overlap)
            except ChangedMeanwhile:
                return self._back(request, pk, FORM_OUTDATED)
        self.log_change(
            request, row, f"Created a new secret. The old one keeps working for {overlap_in_words(overlap)}."
        )
        return self._shown_once(request, row, key, outcome.late)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm, then revoke the key permanently."""
        demand(request, Right.REVOKE_KEY)
        row = ApiKey.objects.filter(pk=pk).first()
        if row is None or row.revoked_at is not None:
            return self._back(request, pk, "This key is already revoked.")
        if request.method != "POST":
            return self.own_page(request, "apikeys/revoke.html", f"Revoke {row.key_id}", key=row)
        with watched() as outcome, transaction.atomic(using=DEFAULT):
            versions.lock()
            row = ApiKey.objects.get(pk=pk)
            row.revoke()
        self.log_change(request, row, "Revoked.")
        messages.success(request, "Revoked: every service refuses it from now on.")
        return self._back(request, pk, *outcome.late)

    def end_old_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the secret from before the last rotation."""
        demand(request, Right.ROTATE_KEY)
        row = ApiKey.objects.filter(pk=pk).first()
        if row is None or request.method != "POST":
            return self._back(request, pk)
        with watched() as outcome:
            try:
                row.end_old_secret()
            except ChangedMeanwhile as error:
                return self._back(request, pk, str(error))
        self.log_change(request, row, "Ended the old secret.")
        messages.success(request, "The old secret is refused from now on.")
        return self._back(request, pk, *outcome.late)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        key = keys.mint(form.cleaned_data["new_id"])
        versions.lock()  # of two who send the same form at once the second waits here, and finds the first's
        made = ApiKey.objects.filter(key_id=key.id).first()
        if made is not None:
            raise _AlreadyCreated(made.pk)
        obj.key_id, obj.secret_hash = key.id, key.hash
        super().save_model(request, obj, form, change)
        request.__dict__["minted"] = key

    def add_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """The form of a new key. Sent twice, as by a reload of the page with the secret, it creates only one key."""
        try:
            response: HttpResponse = super().add_view(request, *args, **options)
        except _AlreadyCreated as made:
            return self._back(request, made.pk, ALREADY_CREATED)
        return response

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        """The form of a key; read-only if the key is revoked."""
        if request.method == "POST" and self.has_view_permission(request) and _is_revoked(object_id):
            return self._back(request, int(object_id), REVOKED)
        return super().change_view(request, object_id, *args, **options)  # type: ignore[no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if obj is None or self.has_change_permission(request, obj) else [*fields, "scopes_and_feeds"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The form's fields; in words for a user who may only view, or for a revoked key."""
        if obj is not None and not self.has_change_permission(request, obj):
            return ["key_id", "status", "note", "user", "scopes_and_feeds", "rate_limit", "expires_at", "created_at"]
        fields = super().get_fields(request, obj)
        return [field for field in fields if obj is None or field != "new_id"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and (obj is None or obj.revoked_at is None)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown_once(request, obj, request.__dict__.pop("minted"))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:
        row = options.get("obj")
        if row is not None:
            (use,) = _uses([row])
            now = timezone.now()
            works = row.revoked_at is None and old_secret_works(row.old_valid_until, now)
            days = use.by_day(now, DAYS) if use is not None else []
            caption = f"Accepted calls in the last {DAYS} days"
            context |= {
                "key": row,
                "may_rotate": may(request.user, Right.ROTATE_KEY) and row.revoked_at is None,
                "may_revoke": may(request.user, Right.REVOKE_KEY) and row.revoked_at is None,
                "last_used": _moment(use),
                "chart": charts.bars(caption, [(f"{day:%-d %b}", count) for day, count in days]),
                "ends_old_at": row.old_valid_until if works else None,
            }
        return super().render_change_form(request, context, **options)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.MINT_KEY) and bool(super().has_add_permission(request))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Permission of the action `revoke`."""
        return may(request.user, Right.REVOKE_KEY)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _shown_once(self, request: HttpRequest, row: ApiKey, key: Key, late: list[str] | None = None) -> HttpResponse:
        """The page that shows the key, only in this response: a message would be stored in a cookie or session."""
        context = {"key": row, "text": key.text, "late": late or []}
        return self.own_page(request, "apikeys/shown_once.html", "Copy the key now", **context)

    def _back(self, request: HttpRequest, pk: int, *warnings: str) -> HttpResponse:
        warn(request, warnings)
        return HttpResponseRedirect(reverse("admin:apikeys_apikey_change", args=(pk,)))


def _is_revoked(object_id: str) -> bool:
    return object_id.isdecimal() and ApiKey.objects.filter(pk=object_id, revoked_at__isnull=False).exists()


def _uses(rows: list[ApiKey]) -> list[KeyUsage | None]:
    """The usage of each key; None if ClickHouse is down."""
    ids = [row.key_id for row in rows]
    try:
        found = usage.of_keys(ids, days=DAYS, now=timezone.now())
    except ClickHouseError:
        return [None] * len(rows)
    return [found[id] for id in ids]


def _use(key: ApiKey) -> KeyUsage | None:
    return key.__dict__.get("use")


def _moment(use: KeyUsage | None) -> str:
    if use is None:
        return AWAY
    return f"{use.last_used_at:%Y-%m-%d %H:%M}" if use.last_used_at else f"not in the last {DAYS} days"


@register(ApiKeyUsage)
class ApiKeyUsageAdmin(CompletesRows, ReadOnlyAdmin):
    list_display = ("key_id", "key_note", "hour", "uses", "last_used_at")
    search_prefix_fields = ("key_id",)
    search_help_text = "The beginning of a key's id."

    @admin.display(description="note")
    def key_note(self, use: ApiKeyUsage) -> str:
        """The note of the key."""
        return str(use.__dict__.get("note", ""))

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the notes of the keys, from one query."""
        ids = {use.key_id for use in rows}
        notes = dict(ApiKey.objects.filter(key_id__in=ids).values_list("key_id", "note"))
        for use in rows:
            use.__dict__["note"] = notes.get(use.key_id, "")
