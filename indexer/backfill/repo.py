"""A repo at its PDS, for synchronous code, with a rate limit per host."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import structlog

from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.core.outgoing import synchronous_client
from atsite.core.pds import Pds, PdsError
from atsite.core.token_bucket import TokenBucket

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterator
    from typing import Any

    from atsite.core.atproto.syntax import Did
    from atsite.core.outgoing import Client

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: Requests per second to one PDS. It allows 3,000 in 5 minutes per address; half is for this site's other requests.
PER_SECOND: Final = 5.0
BURST: Final = 10.0
#: Seconds until the next attempt after a PDS did not answer.
LATER_SECONDS: Final = 5 * 60.0
#: Seconds until the next attempt for an inactive account.
INACTIVE_SECONDS: Final = 24 * 3600.0

#: The PDS's errors for an account that exists but is inactive (com.atproto.sync.getLatestCommit).
INACTIVE: Final = {
    "RepoDeactivated": "its owner deactivated the account",
    "RepoSuspended": "its PDS suspended the account",
    "RepoTakendown": "its PDS took the account down",
}


class Gone(AtsiteError):
    """The account does not exist (any more); another attempt will not help."""


class NotNow(AtsiteError):
    """The repo cannot be read now. `seconds` until the next attempt."""

    def __init__(self, message: str, seconds: float = LATER_SECONDS) -> None:
        super().__init__(message)
        self.seconds = seconds


class Inactive(NotNow):
    """The account exists but is inactive."""

    def __init__(self, message: str) -> None:
        super().__init__(message, INACTIVE_SECONDS)


class Unusable(AtsiteError):
    """The PDS's answer is unusable: an operator has to look at it."""


class Paces:
    """The rate limits of this process, by host. Thread-safe."""

    def __init__(self, per_second: float = PER_SECOND, burst: float = BURST) -> None:
        self._rate, self._burst = per_second, burst
        self._lock = threading.Lock()
        self._hosts: dict[str, TokenBucket] = {}

    def wait(self, host: str) -> None:
        """Wait until the next request to the host is allowed."""
        with self._lock:
            pace = self._hosts.setdefault(host, TokenBucket(self._rate, self._burst))
            seconds = pace.take(time.monotonic())
        time.sleep(seconds)


_paces = Paces()


class Repo:
    """The repo of `did` at its current PDS. For one thread. All methods raise Gone, Inactive, NotNow or Unusable."""

    def __init__(self, did: Did, client: Client, runner: asyncio.Runner, paces: Paces = _paces) -> None:
        self.did = did
        self.endpoint = ""
        self._client = client
        self._run = runner.run
        self._paces = paces

    def latest_rev(self) -> str:
        """The rev of its newest commit."""
        return self._ask(lambda pds: pds.latest_commit(self.did)).rev

    def page(self, collection: str, cursor: str) -> bytes:
        """A page of its records, newest first (atsite.core.pds.Pds.list_records)."""
        return self._ask(lambda pds: pds.list_records(self.did, collection, cursor=cursor))

    def lacks(self, collection: str, rkey: str) -> bool:
        """Whether the PDS answers RecordNotFound for this record. Any other error is raised."""
        return self._ask(lambda pds: pds.lacks_record(self.did, collection, rkey))

    def locate(self) -> None:
        """Look up the repo's PDS without a cache, so that a moved account is found."""
        try:
            document = self._run(site_resolver(self._client).document(self.did, fresh=True))
        except NoSuchIdentity as error:
            raise Gone(f"the account is gone: {error}") from error
        except LookupFailed as error:
            raise NotNow(str(error)) from error
        if document.pds is None:
            raise Unusable("its did document has no PDS")
        self.endpoint = document.pds

    def _ask(self, question: Callable[[Pds], Coroutine[Any, Any, Answer]]) -> Answer:
        if not self.endpoint:
            self.locate()
        try:
            return self._once(question)
        except PdsError as error:
            if not (_is_missing(error) or error.name in INACTIVE):
                raise _meaning(error) from error
            before = self.endpoint
            self.locate()
            if self.endpoint == before:
                raise _meaning(error) from error
            log.info("backfill.moved", did=self.did)
        try:
            return self._once(question)
        except PdsError as error:
            raise _meaning(error) from error

    def _once(self, question: Callable[[Pds], Coroutine[Any, Any, Answer]]) -> Answer:
        self._paces.wait(urlsplit(self.endpoint).netloc)
        return self._run(question(Pds(self._client, self.endpoint)))


@contextmanager
def opened(did: Did) -> Iterator[Repo]:
    """The repo, with its own connections."""
    with synchronous_client(loopback=config.allow_loopback) as (client, runner):
        yield Repo(did, client, runner)


def _is_missing(error: PdsError) -> bool:
    """Whether the PDS does not have the repo; the official PDS says so only in the message of listRecords."""
    return error.name in ("RepoNotFound", "NotFound") or (error.status == 400 and "Could not find" in str(error))


def _meaning(error: PdsError) -> AtsiteError:
    if error.name in INACTIVE:
        return Inactive(INACTIVE[error.name])
    if _is_missing(error):
        return Gone("its PDS does not have the account")
    if error.status == 429 or error.status >= 500 or not error.status:
        return NotNow(f"its PDS does not answer ({error})", error.wait or LATER_SECONDS)
    return Unusable(f"its PDS refuses to list the records: {error}")
