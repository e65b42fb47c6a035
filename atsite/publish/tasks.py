"""What Celery runs for the published copies."""

from __future__ import annotations

from celery import shared_task

from atsite.publish import copies


@shared_task(ignore_result=True)
def publish_due() -> None:
    """Publish what was changed while ClickHouse, or the process that changed it, was gone."""
    for model in copies.published_models():
        copies.publish_due(model)
