"""Reads a file of bytes, or says why that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.repo import InvalidRepo, Record, open_repo
from tests.core.repo.repo_files import DID, PUBLIC

if TYPE_CHECKING:
    from pathlib import Path

    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did


def read(folder: Path, data: bytes, *, did: Did = DID, key: PublicKey = PUBLIC) -> list[Record]:
    """All records of the file."""
    file = folder / "repo.car"
    file.write_bytes(data)
    with open_repo(file, did, key) as repo:
        return list(repo.records())


def problem_of_keys(folder: Path, data: bytes) -> str:
    """Why the keys of the file cannot be read."""
    file = folder / "repo.car"
    file.write_bytes(data)
    with pytest.raises(InvalidRepo) as error, open_repo(file, DID, PUBLIC) as repo:
        list(repo.record_keys())
    return str(error.value)


def problem_of(folder: Path, data: bytes, **expected: Any) -> str:
    """Why the records of the file cannot be read."""
    with pytest.raises(InvalidRepo) as error:
        read(folder, data, **expected)
    return str(error.value)
