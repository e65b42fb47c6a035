"""Errors of embedded stores; each message says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from atsite.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class EngineMissing(StoreError):
    """The program of the store is not installed, or cannot run on this machine."""


class DataDirectoryInUse(StoreError):
    """Another store already runs on this data directory."""


class PortTaken(StoreError):
    """The port that was asked for belongs to another process."""


class WrongPurpose(StoreError):
    """The data directory belongs to another command."""


class StoreFailed(StoreError):
    """The store ended by itself, did not answer in time, or its disk is full."""


@contextmanager
def explained(name: str, directory: Path) -> Iterator[None]:
    """Turn an OSError (a full disk, another user's directory) into a StoreFailed that names the directory."""
    try:
        yield
    except OSError as error:
        raise StoreFailed(f"{name} cannot use {directory}: {error.strerror or error}.") from error
