"""Sessions and records of one repo, over XRPC (lexicons com.atproto.server, com.atproto.repo and com.atproto.sync)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from atsite.core.outgoing import FetchFailed
from atsite.core.pds.answers import WRITER_WAIT_MAX_SECONDS, PdsError, limit_of, read_answer, refusal
from atsite.core.pds.session import Session, read_session
from atsite.core.pds.writes import RepoCommit, Write, WriteAnswer, read_commit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from atsite.core.atproto.syntax import Did
    from atsite.core.outgoing import Client, Fetched

#: A write makes a commit and may wait for another one; reads are quicker, but one limit is enough.
PDS_SECONDS = 15.0
#: 200 writes in one commit take the official PDS a fifth of a second.
BATCH_SECONDS = 60.0
#: Records of one listRecords answer: the lexicon's limit.
PAGE_RECORDS = 100
#: A page of usual records has below 300 KB; a record may have 1 MB.
PAGE_BYTES = 16 * 1024 * 1024


class Pds:
    """The server at `endpoint` (https://host, without a path)."""

    def __init__(self, client: Client, endpoint: str) -> None:
        self._client = client
        self._endpoint = endpoint.rstrip("/")

    async def create_session(self, identifier: str, password: str) -> Session:
        """Sign in with a handle, did or e-mail address and an app password. Raises PdsError."""
        answer = await self._post("com.atproto.server.createSession", {"identifier": identifier, "password": password})
        return read_session(answer)

    async def refresh_session(self, session: Session) -> Session:
        """New tokens; the old refresh token soon stops working, so store the new ones first. Raises PdsError.

        Terminal refusals: ExpiredToken (also of a revoked session) and InvalidToken, both with status 400.
        """
        refreshed = read_session(
            await self._post("com.atproto.server.refreshSession", None, token=session.refresh_token)
        )
        if refreshed.did != session.did:
            raise PdsError("InvalidResponse", "the new session is that of another account", 200)
        return refreshed

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

    async def latest_commit(self, did: Did) -> RepoCommit:
        """The repo's newest commit (com.atproto.sync.getLatestCommit). Raises PdsError."""
        answer = await self._get(f"com.atproto.sync.getLatestCommit?{urlencode({'did': did})}")
        return read_commit(answer, "the newest commit")

    def repo_url(self, did: Did, since: str = "") -> str:
        """Where the whole repo is as a CAR file; `since` a rev, only the blocks that are new since then.

        It can have any size: read it with `Client.stream`, and other answers than 200 with `pds.refusal`.
        """
        query = {"did": did} | ({"since": since} if since else {})
        return self._url(f"com.atproto.sync.getRepo?{urlencode(query)}")

    async def list_records(
        self, repo: Did, collection: str, *, cursor: str = "", limit: int = PAGE_RECORDS, max_bytes: int = PAGE_BYTES
    ) -> bytes:
        """A page of a collection's records by rkey, newest first, as the PDS wrote it. Raises PdsError.

        Unparsed, because a record is stored as its own bytes and may be JSON that a strict parser refuses.
        """
        query = {"repo": repo, "collection": collection, "limit": limit} | ({"cursor": cursor} if cursor else {})
        url = self._url(f"com.atproto.repo.listRecords?{urlencode(query)}")
        try:
            fetched = await self._client.get(url, timeout=PDS_SECONDS, max_bytes=max_bytes)
        except FetchFailed as error:
            raise PdsError("Unreachable", str(error)) from error
        if fetched.status != 200:
            raise refusal(fetched)
        return fetched.body

    async def put_record(self, session: Session, collection: str, rkey: str, record: Mapping[str, Any]) -> str:
        """Create or replace a record of the session's own repo; returns its at-uri. Raises PdsError."""
        content = {"repo": session.did, "collection": collection, "rkey": rkey, "record": dict(record)}
        answer = await self._post("com.atproto.repo.putRecord", content, token=session.access_token)
        return str(answer.get("uri", ""))

    async def delete_record(self, session: Session, collection: str, rkey: str, *, swap_record: str = "") -> None:
        """Delete a record of the session's own repo; one that does not exist is not an error. Raises PdsError.

        With `swap_record` only the record with this CID: InvalidSwap if there is another.
        """
        content = {"repo": session.did, "collection": collection, "rkey": rkey}
        content |= {"swapRecord": swap_record} if swap_record else {}
        await self._post("com.atproto.repo.deleteRecord", content, token=session.access_token)

    async def apply_writes(self, session: Session, writes: Sequence[Write], *, swap_commit: str) -> WriteAnswer:
        """All writes in one commit, or none. Raises PdsError.

        InvalidSwap: `swap_commit` (the text of a CID; "" allows any) is not the newest commit. InternalServerError with
        status 500: possibly a delete of a record that does not exist. Unreachable, InvalidResponse, or another status
        of 500 and more: the writes may have been made. Records are not checked against their lexicons.
        """
        content: dict[str, Any] = {
            "repo": session.did,
            "validate": False,
            "writes": [write.content() for write in writes],
        }
        content |= {"swapCommit": swap_commit} if swap_commit else {}
        fetched = await self._posted(
            "com.atproto.repo.applyWrites", content, token=session.access_token, seconds=BATCH_SECONDS
        )
        commit = read_answer(fetched, WRITER_WAIT_MAX_SECONDS).get("commit")
        return WriteAnswer(None if commit is None else read_commit(commit, "the new commit"), limit_of(fetched))

    async def _get(self, method: str) -> dict[str, Any]:
        try:
            return read_answer(await self._client.get(self._url(method), timeout=PDS_SECONDS))
        except FetchFailed as error:
            raise PdsError("Unreachable", str(error)) from error

    async def _post(self, method: str, content: object, *, token: str = "") -> dict[str, Any]:
        return read_answer(await self._posted(method, content, token=token), WRITER_WAIT_MAX_SECONDS)

    async def _posted(self, method: str, content: object, *, token: str, seconds: float = PDS_SECONDS) -> Fetched:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            return await self._client.post(self._url(method), content, headers=headers, timeout=seconds)
        except FetchFailed as error:
            raise PdsError("Unreachable", str(error)) from error

    def _url(self, method: str) -> str:
        return f"{self._endpoint}/xrpc/{method}"
