"""The tables of clean-ups. Jobs are copied to ClickHouse; the others are not, and secrets have no history."""

from __future__ import annotations

from search.cleanup.models.account_rules import CleanupSwitch, RefusedAccount
from search.cleanup.models.audit import CleanupAudit
from search.cleanup.models.batch import CleanupBatch, Outcome, PointsSent
from search.cleanup.models.job import (
    Kind,
    PublishedCleanupJob,
    RepoCleanupJob,
    new_job_id,
    validate_did,
    validate_types,
)
from search.cleanup.models.session import PdsSession

__all__ = [
    "CleanupAudit",
    "CleanupBatch",
    "CleanupSwitch",
    "Kind",
    "Outcome",
    "PdsSession",
    "PointsSent",
    "PublishedCleanupJob",
    "RefusedAccount",
    "RepoCleanupJob",
    "new_job_id",
    "validate_did",
    "validate_types",
]
