"""A backup as a download: decrypted piece by piece, as fast as its reader takes it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.http import StreamingHttpResponse

from search.cleanup.engine import backups
from search.cleanup.owner_actions import NotOffered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from search.cleanup.models import RepoCleanupJob

#: Downloads of this process at once; each has a thread that decrypts.
AT_ONCE: Final = 8
_slots = threading.BoundedSemaphore(AT_ONCE)


def download(job: RepoCleanupJob) -> StreamingHttpResponse:
    """The backup of a job as a CAR file. Raises NoBackup, NotOffered if too many are downloaded now, OSError."""
    if not _slots.acquire(blocking=False):
        raise NotOffered("too many backups are downloaded now, try again in a minute")
    pieces = backups.pieces(job)
    try:
        first = next(pieces, b"")  # so that an error is told before the answer begins
    except BaseException:
        _slots.release()
        raise
    response = StreamingHttpResponse(_Body(first, pieces), content_type="application/vnd.ipld.car")
    response["Content-Disposition"] = f'attachment; filename="{job.did.replace(":", "-")}-{job.job_id}.car"'
    return response


class _Body:
    """The pieces, for one reader; Django closes it when the answer ends or its reader is gone."""

    def __init__(self, first: bytes, pieces: Iterator[bytes]) -> None:
        self._first = first
        self._pieces = pieces
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            piece = self._first
            while piece:
                yield piece
                piece = await asyncio.to_thread(next, self._pieces, b"")
        finally:
            self.close()

    def close(self) -> None:
        """Stop decrypting."""
        if self._open:
            self._open = False
            _slots.release()
            with suppress(ValueError):  # a thread reads the next piece: the generator ends once it has it
                self._pieces.close()  # type: ignore[attr-defined]  # a generator
