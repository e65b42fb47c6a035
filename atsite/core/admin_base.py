"""Bases of admin classes: rows that are only looked at, lists that complete their rows, and pages of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.template.response import TemplateResponse
from django.urls import path
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.admin.views.main import ChangeList
    from django.http import HttpRequest


class ViewOnly(ModelAdmin):  # type: ignore[misc]
    """Rows that no one adds, changes or deletes in the admin."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CompletesRows(ModelAdmin):  # type: ignore[misc]
    """A list whose rows get what the columns show about them from a few queries, not from one for each row."""

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add to each row of a page what its columns show."""

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list, with its rows completed."""
        found: ChangeList = super().get_changelist_instance(request)
        found.result_list = list(found.result_list)
        self.complete(request, found.result_list)
        return found


class OwnPages(ModelAdmin):  # type: ignore[misc]
    """An admin class with pages of its own: NAME is shown by `NAME_view`, and its URL is called `app_model_NAME`."""

    #: The name of each page, and its path.
    own_pages: ClassVar[Mapping[str, str]] = {}

    def get_urls(self) -> list[Any]:
        """The own pages come first: Django's last pattern takes any path."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(route, self.admin_site.admin_view(getattr(self, f"{name}_view")), name=f"{prefix}_{name}")
            for name, route in self.own_pages.items()
        ]
        return [*own, *super().get_urls()]

    def own_page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """A page of this model, in the frame of the admin."""
        site = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**site, "title": title, "opts": self.model._meta, **context})


def warn(request: HttpRequest, sentences: Iterable[str]) -> None:
    """Show each sentence as a warning on the next page."""
    for sentence in sentences:
        messages.warning(request, sentence)
