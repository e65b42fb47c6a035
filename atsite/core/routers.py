"""Chooses the database of a model.

Models of ClickHouse have `clickhouse = True`, as subclasses of `ReadModel`; `Meta.app_label` does not matter. Relations
between the two databases are not allowed, because neither could enforce them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from django.db.models import Model

CLICKHOUSE = "clickhouse"
DEFAULT = "default"


class StoreRouter:
    """ClickHouse models to the alias `clickhouse`, everything else to `default`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return _alias(model)

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return _alias(model)

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        return _alias(type(obj1)) == _alias(type(obj2))

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """A model migrates in its own store; RunSQL and RunPython must name it (`hints={"database": …}`)."""
        model = hints.get("model")
        if model is not None:
            return db == _alias(model)
        if "database" in hints:
            return bool(db == hints["database"])
        if model_name is not None:  # a third-party operation on a model that it does not pass along
            return db == DEFAULT
        if app_label in FIRST_PARTY:
            raise AtsiteError(
                f'an operation of {app_label} does not name its database: add hints={{"database": "clickhouse"}}'
            )
        return db == DEFAULT


#: Apps of this project: their migrations must name the database of each RunSQL and RunPython.
FIRST_PARTY = frozenset({"indexer", "feeds", "search", "cleanup", "labels", "apikeys", "publish", "identity"})


def _alias(model: type[Model]) -> str:
    return CLICKHOUSE if getattr(model, "clickhouse", False) else DEFAULT
