"""The admin of models that people edit: forms, change history, and a warning if a change takes effect later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from atsite.core.admin_base import warn
from atsite.core.copies.errors import ChangedMeanwhile
from atsite.core.copies.outcome import watched
from atsite.core.copies.stale_forms import SeenChanges

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


class DecisionAdmin(SeenChanges, SimpleHistoryAdmin, ModelAdmin):  # type: ignore[misc]
    """Warns about changes that take effect later, and returns to the form if someone else changed the row first."""

    #: Fields that cannot change once the row exists.
    fixed_fields: tuple[str, ...] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        readonly = list(super().get_readonly_fields(request, obj))
        return readonly if obj is None else [*readonly, *self.fixed_fields]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A new row shows only the fields to enter; the values that the site fills in do not exist yet."""
        fields = list(super().get_fields(request, obj))
        noted = () if obj is not None else self.get_readonly_fields(request)
        return [field for field in fields if field not in noted]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._watched(request, lambda: super(DecisionAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._watched(request, lambda: super(DecisionAdmin, self).delete_view(request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._watched(request, lambda: super(DecisionAdmin, self).changelist_view(request, *args, **kwargs))

    def _watched(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        with watched() as outcome:
            try:
                response = view()
            except ChangedMeanwhile as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(request.get_full_path())
        warn(request, outcome.late)
        return response
