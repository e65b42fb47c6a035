"""The breadcrumbs of a page: the names of the sidebar, then the row or the page itself.

An admin class that has a better name for a row than `str` defines a method `heading(row)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse

from atsite.core.clickhouse.models import ReadModel
from atsite.dashboard.navigation import NAVIGATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model
    from django.db.models.options import Options


@dataclass(frozen=True)
class Part:
    """One breadcrumb; `link` is empty where there is no page."""

    title: str
    link: str = ""


def parts(context: Mapping[str, Any]) -> list[Part]:
    """The breadcrumbs of the page with this context; the last is the page itself."""
    opts = context.get("original_opts") or context.get("opts")
    if opts is None:
        return [Part(str(context.get("title") or ""))]
    group, title = _listed(opts)
    way = [Part(group)] if group and group != title else []
    way.append(Part(title, reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")))
    if last := _last(context, opts):
        way.append(Part(last))
    return way


def _listed(opts: Options[Model]) -> tuple[str, str]:
    """The model's group and name in the sidebar."""
    for group in NAVIGATION:
        for item in group["items"]:
            if item.get("model") == opts.label_lower:
                return group.get("title", ""), item["title"]
    return "", _capital(str(opts.verbose_name_plural))


def _last(context: Mapping[str, Any], opts: Options[Model]) -> str:
    """The name of the page's row, or of the page itself; empty for a list."""
    if "cl" in context:
        return ""
    if context.get("add"):
        return f"New {opts.verbose_name}"
    row = context.get("original") or context.get("object")
    if row is None or isinstance(row, str):
        return str(context.get("title") or "")
    return name_of(row)


def name_of(row: Any) -> str:
    """The readable name of a row."""
    named = getattr(admin.site._registry.get(type(row)), "heading", None)
    if named is not None:
        return str(named(row))
    return _capital(str(row._meta.verbose_name)) if isinstance(row, ReadModel) else str(row)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
