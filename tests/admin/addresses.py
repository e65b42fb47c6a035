"""Every address of the admin, found by walking its URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import URLPattern, reverse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

#: Django's own five pages of a model, and what opens each.
VERBS = {"changelist": "view", "add": "add", "change": "view", "delete": "delete", "history": "view"}
#: Those and the history pages of simple_history.
KNOWN = {**VERBS, "simple_history": "view"}


@dataclass(frozen=True)
class Address:
    """A page of a model's admin. `needs` is a verb on the model, a Right, or None where nobody has said."""

    model: type[Model]
    name: str
    needs: Any
    parameters: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def url(self, pk: object, *, other: str) -> str:
        """Its path, for the row `pk`; parameters beside that are `other`."""
        values = {name: pk if name in ("object_id", "pk", "id", "0") else other for name in self.parameters}
        if "0" in values:
            return reverse(f"admin:{self.name}", args=list(values.values()))
        return reverse(f"admin:{self.name}", kwargs=values)


def of_models() -> Iterator[Address]:
    """All pages of all models."""
    for model, model_admin in admin.site._registry.items():
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        rights: dict[str, Any] = getattr(model_admin, "url_rights", {})
        for pattern in model_admin.get_urls():
            if isinstance(pattern, URLPattern) and pattern.name:
                page = pattern.name.removeprefix(prefix)
                yield Address(model, pattern.name, rights.get(pattern.name, KNOWN.get(page)), _parameters(pattern))


def _parameters(pattern: URLPattern) -> tuple[str, ...]:
    regex = pattern.pattern.regex
    return tuple(regex.groupindex) or tuple(str(number) for number in range(regex.groups))


def of_the_site() -> Iterator[str]:
    """Pages that belong to no model, by name."""
    of_the_models = {address.name for address in of_models()}
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern) and pattern.name and pattern.name not in of_the_models:
            yield pattern.name
