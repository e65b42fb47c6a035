"""Clean-up jobs left this app for `cleanup`, which refused to come where these tables had rows.

The copy in ClickHouse stays; only its model is another app's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def drop_stale_content_types(apps: Apps, schema_editor: BaseDatabaseSchemaEditor | None) -> None:
    """Django makes them again after each `migrate` while there are the models, also between `cleanup` and this."""
    apps.get_model("contenttypes", "ContentType").objects.using(DEFAULT).filter(app_label="search").delete()


class Migration(migrations.Migration):
    dependencies = [("search", "0003_cleanup_jobs"), ("cleanup", "0001_clean_up_jobs")]
    operations = [
        migrations.DeleteModel("CleanupBatch"),
        migrations.DeleteModel("RepoCleanupJob"),
        migrations.DeleteModel("HistoricalRepoCleanupJob"),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("PublishedCleanupJob")]),
        migrations.RunPython(drop_stale_content_types, migrations.RunPython.noop, hints={"database": DEFAULT}),
    ]
