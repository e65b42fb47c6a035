"""What Celery runs for the published copies."""

from __future__ import annotations

from celery import shared_task

from atsite.core.published import clickhouse_copies


@shared_task(name="atsite.publish.tasks.publish_due", ignore_result=True)
def publish_due() -> None:
    """Publish what was changed while ClickHouse, or the process that changed it, was gone."""
    for model in clickhouse_copies.published_models():
        clickhouse_copies.publish_due(model)
