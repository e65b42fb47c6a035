"""Folders that only the user of this site may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_private_directory(path: Path) -> None:
    """Create `path` and its missing parents, readable only by their owner; it may exist. Raises OSError."""
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
