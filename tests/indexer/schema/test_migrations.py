"""Migrations of both databases, on databases of their own, as `manage.py schema` runs them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from atsite.management import scratch
from atsite.management.schema_text import SCHEMA_FILE

if TYPE_CHECKING:
    from pathlib import Path

#: One process does it all, as each start of Django takes seconds. It tells what it saw after each step.
_SCRIPT = """
import io, json
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from atsite.clickhouse import door
from atsite.management import schema_text

seen = {}

def schema(*arguments):
    out = io.StringIO()
    call_command("schema", *arguments, verbosity=0, stdout=out)
    return out.getvalue()

schema("up")
seen["up"] = schema("show"), schema("version")
schema("down", "indexer")
seen["down one"] = schema("version")
schema("down", "indexer", "0004_views")
seen["down to"] = schema("version")
for app in ("labels", "apikeys", "search", "indexer"):
    schema("down", app, "zero")
seen["down"] = schema("show"), schema("version")
schema("up")
seen["up again"] = schema("show")

MigrationRecorder(connections["clickhouse"]).flush()  # as after a migration that failed half-way
schema("up")
seen["once more"] = schema("show")

door.execute("DROP DATABASE atsite", name="tests.drop", database="default")
door.execute("CREATE DATABASE atsite", name="tests.create", database="default")
for statement in seen["up"][0].partition("-- Relational:")[0].split(";\n"):
    if "CREATE" in statement:
        door.execute(statement, name="tests.statement")
seen["from the dump"] = schema("show")
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen() -> dict[str, list[str]]:
    """What each step of the script saw."""
    with scratch.scratch_databases() as environment:
        printed = scratch.manage("shell", "--verbosity", "0", "-c", _SCRIPT, environment=environment, capture=True)
    found: dict[str, list[str]] = json.loads(printed)
    return found


@pytest.fixture(scope="module")
def committed() -> str:
    return SCHEMA_FILE.read_text(encoding="utf-8")


def test_the_migrations_make_the_committed_schema(seen: dict[str, list[str]], committed: str) -> None:
    assert seen["up"][0] == committed, "docs/schema.sql is out of date: run `just migrate-dump-schema`"
    assert seen["up"][1].splitlines()[-1] == "nothing is missing"


def test_backward_leaves_nothing_and_forward_again_makes_the_same(seen: dict[str, list[str]], committed: str) -> None:
    schema, version = seen["down"]
    assert "MergeTree" not in schema
    assert "VIEW" not in schema
    assert [line for line in version.splitlines() if line.startswith("missing: clickhouse: indexer.")] == [
        line.replace("default", "clickhouse")
        for line in version.splitlines()
        if line.startswith("missing: default: indexer.")
    ]
    assert "missing: clickhouse: indexer.0001_functions" in version.splitlines()
    assert seen["up again"] == committed


def test_down_undoes_the_last_migration_of_an_app_or_goes_back_to_one(seen: dict[str, list[str]]) -> None:
    def missing(text: str) -> list[str]:
        return [line for line in str(text).splitlines() if line.startswith("missing: clickhouse")]

    last_two = ["missing: clickhouse: indexer.0005_purges", "missing: clickhouse: indexer.0006_read_models"]
    assert missing(str(seen["down one"])) == last_two[1:]
    assert missing(str(seen["down to"])) == last_two


def test_statements_that_are_run_again_change_nothing(seen: dict[str, list[str]], committed: str) -> None:
    assert seen["once more"] == committed


def test_the_clickhouse_part_of_the_dump_makes_the_same_schema(seen: dict[str, list[str]], committed: str) -> None:
    assert seen["from the dump"] == committed


def test_with_no_server_named_the_embedded_stores_run_for_the_command(tmp_path: Path) -> None:
    environment = scratch.environment_without_stores() | {"DATA_DIR": str(tmp_path)}
    scratch.manage("schema", "--verbosity", "0", "up", environment=environment)
    version = scratch.manage("schema", "version", environment=environment, capture=True)
    assert version.splitlines()[-1] == "nothing is missing"
    assert not (tmp_path / "stores.json").exists()


def test_a_failure_beside_the_embedded_stores_is_a_failure(tmp_path: Path) -> None:
    environment = scratch.environment_without_stores() | {"DATA_DIR": str(tmp_path)}
    with pytest.raises(subprocess.CalledProcessError):
        scratch.manage("schema", "down", "labels", environment=environment, capture=True)
