"""The sources of profiles: an AppView (25 at once), or the directory and each account's own PDS."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

from atsite.core.errors import AtsiteError
from atsite.core.identity import LookupFailed, NoSuchIdentity
from atsite.core.outgoing import FetchFailed
from atsite.core.pds import Pds, PdsError
from indexer.fill.profiles import Profile, handle_of, name_of, profiles_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.atproto.syntax import Did, Handle
    from atsite.core.identity import Resolver
    from atsite.core.outgoing import Client, Fetched

#: The lexicon's limit of getProfiles.
PROFILES_PER_CALL: Final = 25
#: A public AppView allows 10 a second per address (3,000 in five minutes); this site's other requests need some.
CALLS_PER_SECOND: Final = 4.0
ANSWER_SECONDS: Final = 15.0
#: 25 detailed profiles have up to 150 KB.
_ANSWER_BYTES: Final = 1_000_000
#: The pause after a refusal in seconds: if the server does not name one, and at most.
PAUSE_SECONDS: Final = 60
_PAUSE_MAX: Final = 3600
PROFILE: Final = "app.bsky.actor.profile"


class AskLater(AtsiteError):
    """The server cannot be asked now, and no profile is known. `seconds`: how long to pause."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class ProfileSource(Protocol):
    """Something that answers with profiles."""

    #: The value of the rows' column `source`.
    source: str
    #: How many dids per call, and calls per second.
    batch: int
    pace: float

    async def ask(self, dids: Sequence[Did]) -> tuple[dict[Did, Profile], set[Did]]:
        """The profiles that were found, and the dids that cannot be looked up now. Raises AskLater."""


class AppView:
    """app.bsky.actor.getProfiles of the AppView at `url`."""

    source = "appview"
    batch = PROFILES_PER_CALL
    pace = CALLS_PER_SECOND

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    async def ask(self, dids: Sequence[Did]) -> tuple[dict[Did, Profile], set[Did]]:
        return await self._found(dids), set()

    async def _found(self, dids: Sequence[Did]) -> dict[Did, Profile]:
        query = urlencode([("actors", did) for did in dids])
        url = f"{self._url}/xrpc/app.bsky.actor.getProfiles?{query}"
        try:
            fetched = await self._client.get(url, timeout=ANSWER_SECONDS, max_bytes=_ANSWER_BYTES)
            if fetched.status == 400:
                return await self._of_halves(dids)
            if fetched.status != 200:
                raise AskLater(f"the AppView answered with status {fetched.status}", _pause(fetched))
            return profiles_of(fetched.json(), dids)
        except FetchFailed as error:
            raise AskLater(f"the AppView did not answer: {error}", PAUSE_SECONDS) from error

    async def _of_halves(self, dids: Sequence[Did]) -> dict[Did, Profile]:
        """Find the did that makes the AppView refuse the whole request, by halving.

        If every did of a full request is refused, the dids are not the cause.
        """
        if len(dids) == 1:
            return {}
        middle = len(dids) // 2
        found = await self._found(dids[:middle]) | await self._found(dids[middle:])
        if not found and len(dids) == self.batch:
            raise AskLater("the AppView refuses every request", _PAUSE_MAX)
        return found


class Directory:
    """The did's document, a handle that leads back to it, and the profile record in the account's PDS."""

    source = "pds"
    #: As many as the resolver looks up at once; it limits its own rate, so this one is only an upper bound.
    batch = 8
    pace = 10.0

    def __init__(self, client: Client, resolver: Resolver) -> None:
        self._client = client
        self._resolver = resolver

    async def ask(self, dids: Sequence[Did]) -> tuple[dict[Did, Profile], set[Did]]:
        answers = await asyncio.gather(*(self._profile(did) for did in dids), return_exceptions=True)
        known: dict[Did, Profile] = {}
        open_: set[Did] = set()
        for did, answer in zip(dids, answers, strict=True):
            if isinstance(answer, Profile):
                known[did] = answer
            elif isinstance(answer, LookupFailed | PdsError):
                open_.add(did)
            elif not isinstance(answer, NoSuchIdentity):
                raise answer
        return known, open_

    async def _profile(self, did: Did) -> Profile:
        """Raises NoSuchIdentity, LookupFailed, PdsError."""
        document = await self._resolver.document(did, fresh=True)  # the cached document may be older than the change
        handle = "" if document.handle is None else await self._verified(did, document.handle)
        record = None
        if document.pds is not None:
            record = await Pds(self._client, document.pds).get_record(did, PROFILE, "self")
        return Profile(did, handle, name_of((record or {}).get("displayName")))

    async def _verified(self, did: Did, handle: Handle) -> str:
        """The handle if it leads back to the did. Raises LookupFailed."""
        try:
            found = await self._resolver.identify(handle)
        except NoSuchIdentity:
            return ""
        return handle_of(handle) if found.did == did else ""


def _pause(fetched: Fetched) -> int:
    """Seconds until the next request, from the server's headers."""
    reset, after = fetched.headers.get("ratelimit-reset", ""), fetched.headers.get("retry-after", "")
    seconds = PAUSE_SECONDS
    if after.isdigit():
        seconds = int(after)
    elif reset.isdigit():
        seconds = int(reset) - int(time.time())
    return min(max(seconds, 1), _PAUSE_MAX)
