"""Celery tasks of the labels."""

from __future__ import annotations

from celery import shared_task

from labels import bulk_changes, member_keys

#: Less than the minute between two rounds.
BUDGET_SECONDS = 45.0


@shared_task(name="labels.tasks.finish_bulk_changes", ignore_result=True)
def finish_bulk_changes() -> None:
    """Continue confirmed bulk changes whose page was closed."""
    bulk_changes.finish_confirmed(seconds=BUDGET_SECONDS)


@shared_task(name="labels.tasks.fetch_member_keys", ignore_result=True)
def fetch_member_keys() -> None:
    """Fetch the signing keys of members that are new, or whose key was fetched hours ago."""
    member_keys.fetch(seconds=BUDGET_SECONDS)
