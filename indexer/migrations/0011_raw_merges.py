"""Merge the raw events more rarely and column by column: merges were half of what an event cost ClickHouse.

Nothing on a reader's way reads repo_records, so that it may lie in more parts than other tables. Its rows are wide:
carried along key by key (the usual way below 11 columns) they take half as long again. docs/decisions/0042-merges.md.
"""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import run

SETTINGS = {
    "min_parts_to_merge_at_once": 16,
    "vertical_merge_algorithm_min_columns_to_activate": 1,
    "vertical_merge_algorithm_min_rows_to_activate": 1,
}
CHANGES = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())


class Migration(migrations.Migration):
    dependencies = [("indexer", "0010_actor_handles")]
    operations = [
        run(
            f"ALTER TABLE repo_records MODIFY SETTING {CHANGES}",
            undo=f"ALTER TABLE repo_records RESET SETTING {', '.join(SETTINGS)}",
        )
    ]
