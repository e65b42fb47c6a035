"""From the last released state: clean-up's tables become those of an app of its own, unless they hold rows."""

from __future__ import annotations

import json

import pytest

from atsite.management import scratch_clickhouse

pytestmark = pytest.mark.slow  # each start of Django and of the stores takes seconds

#: One process does it all. Old tables are reached by their names: no model of theirs is left.
_SCRIPT = r"""
import json
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connections
from atsite.core.clickhouse import door

default = connections["default"]
seen = {}

def tables():
    return sorted(name for name in default.introspection.table_names() if "cleanup" in name)

def copies():
    return door.scalar("SELECT count() FROM repo_cleanup_jobs", name="tests.copies")

for alias in ("default", "clickhouse"):
    call_command("migrate", "search", "0003_cleanup_jobs", database=alias, verbosity=0)
    for app in ("auth", "admin", "contenttypes", "sessions"):
        call_command("migrate", app, database=alias, verbosity=0)
seen["before"] = tables()
group = Group.objects.create(name="helpers")
group.permissions.add(Permission.objects.get(codename="view_repocleanupjob", content_type__app_label="search"))
copy = {"job_id": ["3kaaaaaaaaaaa"], "did": ["did:plc:mira"], "time_us": [1]}
door.insert("repo_cleanup_jobs", copy, name="tests.copy")

columns = {
    "time_us": 1, "published_us": 1, "deleted": 0, "job_id": "3kaaaaaaaaaaa", "did": "did:plc:mira",
    "collections": "[]", "cut_off": "2026-01-01", "state": "planning", "reason": "", "requested_by": "",
    "records_planned": 0, "records_deleted": 0, "records_gone": 0, "created_at": "2026-01-01",
}
with default.cursor() as cursor:
    cursor.execute(
        f"INSERT INTO search_repocleanupjob ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        list(columns.values()),
    )
try:
    call_command("migrate", database="default", verbosity=0)
except Exception as error:
    seen["refused"] = f"{type(error).__name__}: {error}"
seen["after refusal"] = tables()
with default.cursor() as cursor:
    cursor.execute("DELETE FROM search_repocleanupjob")
for alias in ("default", "clickhouse"):
    call_command("migrate", database=alias, verbosity=0)
seen["after"] = tables()
seen["copies"] = copies()
seen["granted"] = [
    f"{permission.content_type.app_label}.{permission.codename}"
    for permission in Group.objects.get(name="helpers").permissions.all()
]
seen["stale"] = Permission.objects.filter(content_type__app_label="search").count()
print(json.dumps(seen))
"""

OLD = ["search_cleanupbatch", "search_historicalrepocleanupjob", "search_repocleanupjob"]


def test_rows_stop_the_migration_and_without_them_tables_and_grants_move() -> None:
    with scratch_clickhouse.scratch_databases() as environment:
        printed = scratch_clickhouse.manage(
            "shell", "--verbosity", "0", "-c", _SCRIPT, environment=environment, capture=True
        )
    seen = json.loads(printed)
    assert seen["before"] == OLD
    assert seen["refused"].startswith("RowsInTheWay: Clean-up jobs get new tables")
    assert "search_repocleanupjob has 1" in seen["refused"]
    assert set(OLD) <= set(seen["after refusal"])
    new = {"cleanup_cleanupbatch", "cleanup_historicalrepocleanupjob", "cleanup_repocleanupjob"}
    assert new <= set(seen["after"])
    assert set(OLD).isdisjoint(seen["after"])
    assert (seen["copies"], seen["granted"], seen["stale"]) == (1, ["cleanup.view_repocleanupjob"], 0)
