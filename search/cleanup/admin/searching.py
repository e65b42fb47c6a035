"""Searches of lists by account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unfold.admin import ModelAdmin

from indexer.index import pasted_identifiers

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class SearchedByAccount(ModelAdmin):  # type: ignore[misc]
    """Mixin for a ModelAdmin: the search also takes the address of a profile, and a handle with @."""

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> tuple[QuerySet[Any], bool]:
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, rows, pasted_identifiers.search_term(term)
        )
        return found
