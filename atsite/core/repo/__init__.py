"""Reads exported repos (CAR files, as com.atproto.sync.getRepo sends them) in bounded memory. Pure.

`open_repo` checks the file's commit; then `Repo.record_keys()` and `Repo.records()` walk the tree.
"""

from __future__ import annotations

from atsite.core.repo.errors import InvalidRepo
from atsite.core.repo.reader import Record, RecordKey, Repo, open_repo

__all__ = ["InvalidRepo", "Record", "RecordKey", "Repo", "open_repo"]
