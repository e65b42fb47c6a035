"""The configuration of clean-ups (docs/operating.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from atsite.core.config.plain_values import integer, words
from atsite.core.config.secret_values import cleanup_keys

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CleanupConfig:
    """Settings of clean-ups. Without keys the site offers none."""

    #: age identities (AGE-SECRET-KEY-1…): the first encrypts tokens and backups, all decrypt.
    keys: tuple[str, ...] = field(repr=False)
    #: The host on which the page for people answers; empty: every host of the search service.
    host: str
    #: The folder for backups and downloads, shared by workers and the search service.
    folder: Path
    backup_days: int
    #: The most points of writes per account in an hour and in a day; a delete costs 1.
    per_hour: int
    per_day: int
    #: The largest repo that is downloaded (bytes).
    repo_max_bytes: int
    #: Hosts whose links count as media; empty: those of search.cleanup.planning.rules.
    media_hosts: tuple[str, ...]


def cleanup_config(env: Mapping[str, str], environment: str, data_dir: Path) -> CleanupConfig:
    """Read the settings. Raises ConfigError."""
    return CleanupConfig(
        keys=cleanup_keys(env, environment, data_dir),
        host=env.get("CLEANUP_HOST", "").strip().lower(),
        folder=Path(env.get("CLEANUP_FOLDER") or data_dir / "cleanup").resolve(),
        backup_days=integer(env, "CLEANUP_BACKUP_DAYS", 30, low=1, high=365),
        per_hour=integer(env, "CLEANUP_PER_HOUR", 4_000, low=3, high=1_000_000),
        per_day=integer(env, "CLEANUP_PER_DAY", 30_000, low=3, high=10_000_000),
        repo_max_bytes=integer(env, "CLEANUP_REPO_MAX_BYTES", 2_000_000_000, low=1_000_000, high=1 << 40),
        media_hosts=words(env, "CLEANUP_MEDIA_HOSTS"),
    )
