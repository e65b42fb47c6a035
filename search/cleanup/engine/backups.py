"""Encrypted copies of repos, made before the first delete: files in the folder that all services share."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Final

from atsite.core.config import config
from atsite.core.private_directory import make_private_directory
from atsite.core.sealed import CannotDecrypt
from search.cleanup.access import sessions
from search.cleanup.engine.problems import CannotGoOn
from search.cleanup.engine.remote_repo import working_file
from search.cleanup.models import CleanupBatch, RepoCleanupJob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from atsite.core.sealed import Sealer

SUFFIX: Final = ".car.age"
#: Bytes of one piece of a download.
PIECE: Final = 256 * 1024


class NoBackup(CannotGoOn):
    """There is no backup: it has expired, was deleted, or cannot be decrypted."""


def folder() -> Path:
    """The folder of backups, made if it is missing. Raises OSError."""
    path = config.cleanup.folder / "backups"
    make_private_directory(path)
    return path


def until(now: datetime) -> datetime:
    """When a backup that is made or needed now expires."""
    return now + timedelta(days=config.cleanup.backup_days)


def make(car: Path, job: RepoCleanupJob) -> str:
    """Keep the CAR file as the job's backup; returns the file's name. Raises OSError.

    The name appears only when the whole file is on disk.
    """
    name = f"{job.job_id}{SUFFIX}"
    reseal(car, folder() / name, sessions.sealer(), encrypted=False)
    return name


def reseal(source: Path, target: Path, sealer: Sealer, *, encrypted: bool = True) -> None:
    """Write `target`, encrypted with the first key; atomic. Raises OSError, CannotDecrypt."""
    with working_file() as draft:
        with source.open("rb") as plain, draft.open("wb") as file:
            if encrypted:
                with _decrypted(plain, sealer) as reader:
                    sealer.seal_stream(reader, file)
            else:
                sealer.seal_stream(plain, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        draft.touch()  # for its own removal


@contextmanager
def opened(job: RepoCleanupJob) -> Iterator[Path]:
    """The decrypted backup as a private file, for the block. Raises NoBackup, OSError."""
    with working_file() as path:
        with path.open("wb") as file:
            for piece in pieces(job):
                file.write(piece)
        yield path


def pieces(job: RepoCleanupJob) -> Iterator[bytes]:
    """The decrypted backup, in pieces; raises NoBackup, possibly after some pieces."""
    if not job.has_backup:
        raise NoBackup("This clean-up has no backup, or it has expired.")
    try:
        with (folder() / job.backup).open("rb") as file, _decrypted(file, sessions.sealer()) as reader:
            while piece := reader.read(PIECE):
                yield piece
    except FileNotFoundError as error:
        raise NoBackup("The backup was deleted.") from error
    except CannotDecrypt as error:
        raise NoBackup("The backup cannot be decrypted: its key is missing, or the file was damaged.") from error


def drop(job: RepoCleanupJob) -> None:
    """Delete the job's backup, and the lists of records that only an undo needs. Raises OSError, DatabaseError.

    First the file: a row without one is no harm, a file without a row would stay for a day.
    """
    (folder() / job.backup).unlink(missing_ok=True)
    RepoCleanupJob.objects.filter(pk=job.pk).update(backup="")
    CleanupBatch.objects.filter(job=job).update(items=[])


def is_sealed_with(sealer: Sealer, path: Path) -> bool:
    """Whether one of its keys decrypts the file; reads only the beginning. Raises OSError."""
    try:
        with path.open("rb") as file, _decrypted(file, sealer) as reader:
            reader.read(1)
    except CannotDecrypt:
        return False
    return True


@contextmanager
def _decrypted(file: BinaryIO, sealer: Sealer) -> Iterator[BinaryIO]:
    """A reader of the decrypted content. age writes, so it runs in a thread at the other end of a pipe."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def decrypt() -> None:
        try:
            with os.fdopen(writing, "wb") as pipe:
                sealer.open_stream(file, pipe)
        except BrokenPipeError:
            pass  # the reader has stopped
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=decrypt, name="decrypt", daemon=True)
    thread.start()
    with os.fdopen(reading, "rb") as reader:
        yield reader
    thread.join()
    if failed:
        raise failed[0]
