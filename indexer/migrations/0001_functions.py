"""SQL functions for TIDs and the score.

They belong to the server, not to the database, and ClickHouse writes them out in full where a table or view uses them.
So they are replaced, never dropped: another atsite on the same server may be using them.
"""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create


class Migration(migrations.Migration):
    initial = True
    operations = [
        create(__file__, f"functions/{name}.sql", undo="")
        for name in ("is_tid", "tid_to_micros", "micros_to_tid", "is_eligible_tid", "hot_score")
    ]
