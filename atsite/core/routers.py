"""Which database a model lives in.

Models that read ClickHouse say so (`Meta.app_label` does not decide): a subclass of `ReadModel` carries
`clickhouse = True`. Left out on purpose: relations between the two stores, which neither of them could keep.
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
        """A model migrates in its own store; RunSQL and RunPython must name theirs (`hints={"database": …}`)."""
        model = hints.get("model")
        if model is not None:
            return db == _alias(model)
        if "database" in hints:
            return bool(db == hints["database"])
        if model_name is not None:  # a third-party operation on a model that it does not pass along
            return db == DEFAULT
        if app_label in FIRST_PARTY:
            raise AtsiteError(f'an operation of {app_label} names no database: add hints={{"database": "clickhouse"}}')
        return db == DEFAULT


#: Apps whose migrations are written here and must name the database of each RunSQL and RunPython.
FIRST_PARTY = frozenset({"indexer", "feeds", "search", "cleanup", "labels", "apikeys", "publish", "identity"})


def _alias(model: type[Model]) -> str:
    return CLICKHOUSE if getattr(model, "clickhouse", False) else DEFAULT
