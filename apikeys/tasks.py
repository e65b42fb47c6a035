"""Celery tasks of the API keys."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apikeys import usage


@shared_task(name="apikeys.tasks.flush_usage", ignore_result=True)
def flush_usage() -> None:
    """Copy the usage counts of keys from Redis to ClickHouse."""
    usage.flush(now=timezone.now())
