"""Reads exported repos (CAR files, as com.atproto.sync.getRepo sends them) in bounded memory. Pure.

`open_repo` checks the file's commit; then `Repo.record_keys()` and `Repo.records()` walk the tree, and
`Repo.find()` looks records up, also in a file of changes (`getRepo?since=`).
"""

from __future__ import annotations

from atsite.core.repo.errors import InvalidRepo
from atsite.core.repo.lookup import OLD_OR_GONE, Unsure
from atsite.core.repo.reader import Record, RecordKey, Repo, open_repo, read_repo

__all__ = ["OLD_OR_GONE", "InvalidRepo", "Record", "RecordKey", "Repo", "Unsure", "open_repo", "read_repo"]
