"""The Celery task that writes pending copies."""

from __future__ import annotations

from celery import shared_task

from atsite.core.copies import clickhouse_copies


@shared_task(name="atsite.publish.tasks.publish_due", ignore_result=True)
def copy_all_due() -> None:
    """Write the copies of rows that changed while ClickHouse, or the process that changed them, was unavailable."""
    for model in clickhouse_copies.copied_models():
        clickhouse_copies.copy_due(model)
