"""Sessions and records of one repo, over XRPC (lexicons com.atproto.server, com.atproto.repo and com.atproto.sync)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from atsite.core.atproto.syntax import Did, is_did
from atsite.core.errors import AtsiteError
from atsite.core.outgoing import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.outgoing import Client, Fetched

#: A write makes a commit and may wait for another one; reads are quicker, but one limit is enough.
PDS_SECONDS = 15.0
#: Records of one listRecords answer: the lexicon's limit.
PAGE_RECORDS = 100
#: A page of usual records has below 300 KB; a record may have 1 MB.
PAGE_BYTES = 16 * 1024 * 1024
#: The longest pause (seconds) that a PDS can ask for.
WAIT_MAX_SECONDS = 3600.0


class PdsError(AtsiteError):
    """The PDS refused or did not answer. `name` is its XRPC error, or "Unreachable"; `status` is 0 without an answer.

    `wait`: seconds until the next request, as the PDS asked; 0 if it did not say.
    """

    def __init__(self, name: str, message: str, status: int = 0, wait: float = 0.0) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Session:
    """A session of an account at its PDS. The tokens are secret and not in the repr."""

    did: Did
    handle: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


class Pds:
    """The server at `endpoint` (https://host, without a path)."""

    def __init__(self, client: Client, endpoint: str) -> None:
        self._client = client
        self._endpoint = endpoint.rstrip("/")

    async def create_session(self, identifier: str, password: str) -> Session:
        """Sign in with a handle, did or e-mail address and an app password. Raises PdsError."""
        answer = await self._post("com.atproto.server.createSession", {"identifier": identifier, "password": password})
        did, access, refresh = answer.get("did"), answer.get("accessJwt"), answer.get("refreshJwt")
        if not (isinstance(did, str) and is_did(did) and isinstance(access, str) and isinstance(refresh, str)):
            raise PdsError("InvalidResponse", "the session lacks a did or a token", 200)
        return Session(did=did, handle=str(answer.get("handle", "")), access_token=access, refresh_token=refresh)

    async def delete_session(self, session: Session) -> None:
        """Sign out: this invalidates the refresh token. Raises PdsError."""
        await self._post("com.atproto.server.deleteSession", None, token=session.refresh_token)

    async def get_record(self, repo: str, collection: str, rkey: str) -> dict[str, Any] | None:
        """The value of a record, None where there is none. Raises PdsError."""
        query = urlencode({"repo": repo, "collection": collection, "rkey": rkey})
        try:
            answer = await self._get(f"com.atproto.repo.getRecord?{query}")
        except PdsError as error:
            if error.name == "RecordNotFound" or (error.status == 400 and "not locate record" in str(error)):
                return None
            raise
        value = answer.get("value")
        if not isinstance(value, dict):
            raise PdsError("InvalidResponse", "the record has no value", 200)
        return value

    async def lacks_record(self, repo: Did, collection: str, rkey: str) -> bool:
        """Whether the PDS answers RecordNotFound for the record. Raises PdsError for any other refusal."""
        query = urlencode({"repo": repo, "collection": collection, "rkey": rkey})
        try:
            await self._get(f"com.atproto.repo.getRecord?{query}")
        except PdsError as error:
            if error.name == "RecordNotFound" and error.status in (400, 404):
                return True
            raise
        return False

    async def latest_rev(self, did: Did) -> str:
        """The rev of the repo's newest commit (com.atproto.sync.getLatestCommit). Raises PdsError."""
        answer = await self._get(f"com.atproto.sync.getLatestCommit?{urlencode({'did': did})}")
        rev = answer.get("rev")
        if not isinstance(rev, str):
            raise PdsError("InvalidResponse", "the newest commit has no rev", 200)
        return rev

    async def list_records(self, repo: Did, collection: str, *, cursor: str = "", limit: int = PAGE_RECORDS) -> bytes:
        """A page of a collection's records by rkey, newest first, as the PDS wrote it. Raises PdsError.

        Unparsed, because a record is stored as its own bytes and may be JSON that a strict parser refuses.
        """
        query = {"repo": repo, "collection": collection, "limit": limit} | ({"cursor": cursor} if cursor else {})
        url = self._url(f"com.atproto.repo.listRecords?{urlencode(query)}")
        try:
            fetched = await self._client.get(url, timeout=PDS_SECONDS, max_bytes=PAGE_BYTES)
            if fetched.status != 200:
                _answer(fetched)
        except FetchFailed as error:
            raise PdsError("Unreachable", str(error)) from error
        return fetched.body

    async def put_record(self, session: Session, collection: str, rkey: str, record: Mapping[str, Any]) -> str:
        """Create or replace a record of the session's own repo; returns its at-uri. Raises PdsError."""
        content = {"repo": session.did, "collection": collection, "rkey": rkey, "record": dict(record)}
        answer = await self._post("com.atproto.repo.putRecord", content, token=session.access_token)
        return str(answer.get("uri", ""))

    async def delete_record(self, session: Session, collection: str, rkey: str) -> None:
        """Delete a record of the session's own repo; one that does not exist is not an error. Raises PdsError."""
        content = {"repo": session.did, "collection": collection, "rkey": rkey}
        await self._post("com.atproto.repo.deleteRecord", content, token=session.access_token)

    async def _get(self, method: str) -> dict[str, Any]:
        try:
            return _answer(await self._client.get(self._url(method), timeout=PDS_SECONDS))
        except FetchFailed as error:
            raise PdsError("Unreachable", str(error)) from error

    async def _post(self, method: str, content: object, *, token: str = "") -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            return _answer(await self._client.post(self._url(method), content, headers=headers, timeout=PDS_SECONDS))
        except FetchFailed as error:
            raise PdsError("Unreachable", str(error)) from error

    def _url(self, method: str) -> str:
        return f"{self._endpoint}/xrpc/{method}"


def _answer(fetched: Fetched) -> dict[str, Any]:
    """The JSON object of a good answer, {} for an empty one. Raises PdsError, FetchFailed."""
    if fetched.status == 200 and not fetched.body:
        return {}
    try:
        content = fetched.json()
    except FetchFailed:
        content = None
    if not isinstance(content, dict):
        raise PdsError("InvalidResponse", "the answer is not a JSON object", fetched.status, _wait(fetched))
    if fetched.status != 200:
        name, message = content.get("error"), content.get("message")
        raise PdsError(str(name or "UnknownError")[:80], str(message or "")[:300], fetched.status, _wait(fetched))
    return content


def _wait(fetched: Fetched) -> float:
    """What `retry-after` (seconds) or else the PDS's `ratelimit-reset` (unix seconds) asks for."""
    after, reset = fetched.headers.get("retry-after", ""), fetched.headers.get("ratelimit-reset", "")
    if _is_seconds(after):
        return min(float(after), WAIT_MAX_SECONDS)
    if fetched.status == 429 and _is_seconds(reset):
        return min(max(float(reset) - time.time(), 0.0), WAIT_MAX_SECONDS)
    return 0.0


def _is_seconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12
