"""Warns a user whose form is stale: someone else changed the row after it was opened, and saving would replace that.

The form contains the newest change of the row when it was opened (a history id). On save it is compared under the lock
that every change takes, so that no change slips in between. What the user typed stays in the form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Max
from django.forms.models import _get_foreign_key  # what Django's own inlines use

from atsite.core.copies import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

#: Name of the hidden input, and of the context's variable.
SEEN: Final = "seen_change"
#: Characters shown of each value.
SHOWN_CHARACTERS: Final = 80
#: Fields that no user decides.
_INTERNAL: Final = {"time_us", "published_us", "deleted"}


class SeenChanges:
    """For a ModelAdmin of a model with history; comes before it among the bases."""

    change_form_before_template = "publish/seen.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if request.method == "POST" and _in_form(request):
            versions.lock()
        # Before the row is read, so that a change in between counts as not seen.
        try:
            newest = self._newest(object_id) if from_field is None else ""
        except OverflowError:  # beyond what SQLite has for a number: no row has it
            return None
        row = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        opened = request.POST.get(SEEN, newest)
        request.__dict__[SEEN] = newest
        request.__dict__["stale"] = _told(row, opened) if row is not None and opened != newest else []
        return row

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **options)  # type: ignore[misc]
        sentences = request.__dict__.get("stale")
        return _refusing(form, sentences) if sentences else form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:
        context[SEEN] = request.__dict__.get(SEEN, "")
        response: HttpResponse = super().render_change_form(request, context, **options)  # type: ignore[misc]
        return response

    def _newest(self, object_id: str) -> str:
        """The newest change of the row, and of each list under it."""
        model: Any = self.model  # type: ignore[attr-defined]
        try:
            found = [_last(model, {model._meta.pk.name: model._meta.pk.to_python(object_id)})]
        except ValidationError:
            return ""
        for inline in self.inlines:  # type: ignore[attr-defined]
            key = _get_foreign_key(model, inline.model)
            found.append(_last(inline.model, {f"{key.name}_id": object_id}))
        return ".".join(map(str, found))


def _in_form(request: HttpRequest) -> bool:
    return SEEN in request.POST


def _last(model: Any, key: dict[str, Any]) -> int:
    if not hasattr(model, "history"):
        return 0
    return int(model.history.filter(**key).aggregate(last=Max("history_id"))["last"] or 0)


def _refusing(form: type[Any], sentences: list[str]) -> type[Any]:
    """The form class, with an error that says why the input is not saved yet."""

    def clean(self: Any) -> Any:
        cleaned = form.clean(self)
        self.add_error(None, ValidationError(sentences))
        return cleaned

    return type(form.__name__, (form,), {"clean": clean})


def _told(row: Model, opened: str) -> list[str]:
    """What changed since the change `opened`, and what to do."""
    first = opened.partition(".")[0]
    since = int(first) if first.isdecimal() else 0
    history: Any = row.history  # type: ignore[attr-defined]
    newest = history.order_by("history_id").last()
    seen = history.filter(history_id__lte=since).order_by("history_id").last()
    changes = list(_changes(row, newest, seen)) if newest is not None and seen is not None else []
    who = getattr(newest, "history_user", None) or "Someone"
    when = f" at {newest.history_date:%H:%M:%S} UTC" if newest is not None else ""
    return [
        f"{who} changed this{when}, after you opened it: {'; '.join(changes) or 'its list'}.",
        "Your changes are below and not saved yet. Save again to replace theirs.",
    ]


def _changes(row: Model, newest: Any, seen: Any) -> Iterator[str]:
    for field in newest.tracked_fields:  # also fields that no form edits, such as the time when a key was revoked
        if field.primary_key or field.name in _INTERNAL:
            continue
        if getattr(seen, field.attname) != getattr(newest, field.attname):
            name = row._meta.get_field(field.name).verbose_name  # type: ignore[union-attr]
            yield f"{name}: {_shown(_value(seen, field))} → {_shown(_value(newest, field))}"


def _value(record: Any, field: Any) -> object:
    """The value of the field; for a relation, the related row while it exists."""
    try:
        return getattr(record, field.name)
    except ObjectDoesNotExist:
        return getattr(record, field.attname)


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return f"“{cut}”" if cut else "nothing"
