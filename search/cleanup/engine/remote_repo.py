"""The repo of a job at its PDS, for synchronous code: downloads, and calls with problems in words."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from atsite.core.atproto.syntax import Did
from atsite.core.config import config
from atsite.core.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.core.outgoing import Fetched, FetchFailed, synchronous_client
from atsite.core.pds import Pds, PdsError, RepoCommit, refusal
from atsite.core.private_directory import make_private_directory
from atsite.core.repo import InvalidRepo, open_repo
from indexer.backfill.repo import Paces
from search.cleanup.engine.problems import CannotGoOn, NotNow

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from typing import Any

    from atsite.core.atproto.keys import PublicKey
    from atsite.core.outgoing import Client
    from atsite.core.repo import Repo

Answer = TypeVar("Answer")

#: Seconds without a byte after which a download has failed.
IDLE_SECONDS: Final = 30.0
#: Seconds after which a download is given up, whatever arrives.
DOWNLOAD_SECONDS: Final = 15 * 60.0
#: Seconds between two reports of a download.
REPORT_SECONDS: Final = 5.0
#: Errors of com.atproto.sync.getRepo for an account that is not active.
_INACTIVE: Final = {
    "RepoDeactivated": "The account is deactivated.",
    "RepoSuspended": "Its server has suspended the account.",
    "RepoTakendown": "Its server has taken the account down.",
    "RepoNotFound": "Its server does not have the account.",
}
_paces = Paces()


class RemoteRepo:
    """One repo and its server. For one thread; use `opened`. Methods raise NotNow or CannotGoOn."""

    def __init__(self, did: str, client: Client, runner: asyncio.Runner, report: Callable[[int], None]) -> None:
        """`report` is called every few seconds of a download with the bytes so far; what it raises ends it."""
        self.did = Did(did)
        self._report = report
        self._client = client
        self._runner = runner
        self._located: tuple[str, PublicKey] | None = None

    @property
    def endpoint(self) -> str:
        """The address of the account's PDS, from its did document as it is now."""
        return self._location()[0]

    @property
    def key(self) -> PublicKey:
        """The key that signs the repo."""
        return self._location()[1]

    def call(self, question: Callable[[Pds], Coroutine[Any, Any, Answer]]) -> Answer:
        """The answer of the PDS. Raises PdsError."""
        _paces.wait(urlsplit(self.endpoint).netloc)
        return self._runner.run(question(Pds(self._client, self.endpoint)))

    def latest_commit(self) -> RepoCommit:
        """The newest commit of the repo."""
        try:
            return self.call(lambda pds: pds.latest_commit(self.did))
        except PdsError as error:
            raise _refusal(error) from error

    def get_json(self, url: str) -> Any:
        """The JSON of an answer with status 200, at the pace of its host."""
        _paces.wait(urlsplit(url).netloc)
        try:
            fetched = self._runner.run(self._client.get(url, timeout=IDLE_SECONDS, max_bytes=16 * 1024 * 1024))
            if fetched.status == 200:
                return fetched.json()
        except FetchFailed as error:
            raise NotNow(f"{urlsplit(url).netloc} does not answer: {error}") from error
        raise NotNow(f"{urlsplit(url).netloc} answered with status {fetched.status}")

    @contextmanager
    def downloaded(self, *, since: str = "") -> Iterator[tuple[Path, Repo]]:
        """The repo and its CAR file, private and for the block only; with `since`, a rev, what is new since then.

        What is wrong with the file is a CannotGoOn, also if the block finds it.
        """
        with working_file() as path:
            self._download(path, since)
            try:
                with open_repo(path, self.did, self.key) as repo:
                    yield path, repo
            except InvalidRepo as error:
                raise CannotGoOn(f"The downloaded repo is not valid: {error}.") from error

    def _download(self, path: Path, since: str) -> None:
        _paces.wait(urlsplit(self.endpoint).netloc)
        url = Pds(self._client, self.endpoint).repo_url(self.did, since=since)
        opening = self._client.stream(url, idle_seconds=IDLE_SECONDS, max_bytes=config.cleanup.repo_max_bytes)
        try:
            answer = self._runner.run(opening.__aenter__())
            try:
                if answer.status != 200:
                    body = self._runner.run(_first(answer.chunks))
                    raise _refusal(refusal(Fetched(answer.status, answer.headers, body)))
                with path.open("wb") as file:
                    self._write(answer.chunks, file.write)
            finally:
                self._runner.run(opening.__aexit__(None, None, None))
        except FetchFailed as error:
            if error.reason == "too_large":
                limit = config.cleanup.repo_max_bytes // 1_000_000
                raise CannotGoOn(f"The repo is larger than this site downloads ({limit:,} MB).") from error
            raise NotNow(f"The repo cannot be downloaded: {error}") from error

    def _write(self, chunks: AsyncIterator[bytes], write: Callable[[bytes], Any]) -> None:
        """Between chunks no event loop runs, so that the report can use the database."""
        size, began = 0, monotonic()
        reported = began
        while chunk := self._runner.run(_first(chunks)):
            write(chunk)
            size += len(chunk)
            now = monotonic()
            if now - began > DOWNLOAD_SECONDS:
                raise NotNow(f"The download took longer than {DOWNLOAD_SECONDS / 60:.0f} minutes.", 3600.0)
            if now - reported >= REPORT_SECONDS:
                self._report(size)
                reported = now

    def _location(self) -> tuple[str, PublicKey]:
        if self._located is None:
            try:
                document = self._runner.run(site_resolver(self._client).document(self.did, fresh=True))
            except NoSuchIdentity as error:
                raise CannotGoOn("The account does not exist any more.") from error
            except LookupFailed as error:
                raise NotNow(f"The account cannot be looked up: {error}") from error
            if document.pds is None or document.signing_key is None:
                raise CannotGoOn("The account's did document has no server or no signing key.")
            self._located = document.pds, document.signing_key
        return self._located


@contextmanager
def opened(did: str, report: Callable[[int], None]) -> Iterator[RemoteRepo]:
    """The repo of `did`, with its own connections; `report` as for RemoteRepo."""
    with synchronous_client(loopback=config.allow_loopback) as (client, runner):
        yield RemoteRepo(did, client, runner, report)


@contextmanager
def working_file() -> Iterator[Path]:
    """An empty private file, removed at the end; what a killed worker leaves, the upkeep removes."""
    folder = config.cleanup.folder / "work"
    make_private_directory(folder)
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    """The next chunk, empty at the end."""
    return await anext(chunks, b"")


def _refusal(error: PdsError) -> NotNow | CannotGoOn:
    if error.name in _INACTIVE:
        return CannotGoOn(_INACTIVE[error.name])
    return NotNow(f"Its server does not give the repo: {error}", error.wait or 60.0)
