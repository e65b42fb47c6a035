from __future__ import annotations

import io

from django.apps import apps
from django.core.management import call_command

from atsite.core.clickhouse import door
from atsite.core.clickhouse.models import ReadModel
from indexer.index.purge import MIXED_TABLES, PURGED_TABLES, TIMED_TABLES
from tests.core.clickhouse.drift import differences

#: Tables without a model: two hold aggregate states, which the ORM cannot read; one is Django's own.
WITHOUT_MODEL = {"daily_stats_actors", "people_tokens", "django_migrations"}
#: Called with parameters, which the ORM cannot pass.
PARAMETERISED = {f"daily_stats_{name}" for name in ("posts", "likes", "reposts", "graph", "distinct_actors")}

#: Tables with a did whose rows a purge leaves, because they say that the account is gone, or were given by people.
KEPT = {"actor_accounts", "repo_floors", "purges", "actor_labels", "repo_cleanup_jobs"}


def read_models() -> list[type[ReadModel]]:
    """The project's own, without those that tests declare."""
    models = [model for model in apps.get_models() if issubclass(model, ReadModel)]
    return [model for model in models if not model.__module__.startswith("tests.")]


def test_models_and_tables_agree(django_db_setup: None) -> None:
    assert differences(read_models()) == []


def test_every_table_and_view_has_a_model(django_db_setup: None) -> None:
    names = door.column(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine != 'MaterializedView'",
        name="tests.tables",
    )
    assert {model._meta.db_table for model in read_models()} == set(names) - WITHOUT_MODEL - PARAMETERISED


def test_every_table_with_a_did_is_purged_or_kept_on_purpose(django_db_setup: None) -> None:
    names = door.column(
        "SELECT table FROM system.columns INNER JOIN system.tables ON tables.name = columns.table"
        " AND tables.database = columns.database"
        " WHERE columns.database = currentDatabase() AND columns.name IN ('did', 'repo') AND engine LIKE '%MergeTree'",
        name="tests.tables_with_a_did",
    )
    assert set(names) - KEPT == {*PURGED_TABLES, *TIMED_TABLES, *MIXED_TABLES, "repo_records"}


def test_the_models_need_no_further_migration(django_db_setup: None, django_db_blocker: object) -> None:
    out = io.StringIO()
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert out.getvalue() == "No changes detected\n"
