"""A PDS and an AppView for the accounts of a simulated network, with the data of its stream up to now.

Lexicons com.atproto.repo.listRecords and getRecord, com.atproto.sync.getLatestCommit, app.bsky.actor.getProfiles.
Commits have the rev of the stream, and a cid that cannot be verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from atsite.core.atproto.syntax import is_did, is_nsid
from atsite.core.errors import AtsiteError
from indexer.simulator.network.cids import record_cid
from indexer.simulator.network.posts import POST
from indexer.simulator.network.records import PROFILE
from indexer.simulator.serving.plc_directory import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.simulator.network.identities import Identities
    from indexer.simulator.network.repos import Repos

PROFILES_MAX: Final = 25
RECORDS_DEFAULT, RECORDS_MAX = 50, 100
_GONE: Final = {"deactivated": "RepoDeactivated", "suspended": "RepoSuspended", "takendown": "RepoTakendown"}

Query = dict[str, list[str]]


class Refused(AtsiteError):
    """An XRPC error: its name and message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Xrpc:
    """Answers requests about the repos of one network. `now` is in unix microseconds everywhere."""

    def __init__(self, identities: Identities, repos: Repos) -> None:
        self._identities = identities
        self._repos = repos
        self._methods: dict[str, Callable[[Query, int], dict[str, Any]]] = {
            "/xrpc/app.bsky.actor.getProfiles": self._profiles,
            "/xrpc/com.atproto.repo.listRecords": self._list_records,
            "/xrpc/com.atproto.repo.getRecord": self._record,
            "/xrpc/com.atproto.sync.getLatestCommit": self._latest_commit,
        }

    async def page(self, target: str, *, now: int) -> Page | None:
        """The answer to GET `target` (path and query); None for any other path."""
        parts = urlsplit(target)
        method = self._methods.get(parts.path)
        if method is None:
            return None
        await self._repos.know(now)
        try:
            status, answer = 200, method(parse_qs(parts.query), now)
        except Refused as error:
            status, answer = 400, {"error": error.name, "message": str(error)}
        return Page(status, msgspec.json.encode(answer))

    def _profiles(self, query: Query, now: int) -> dict[str, Any]:
        """Like the AppView: in the requested order, without unknown or hidden accounts."""
        names = query.get("actors", [])
        if not 1 <= len(names) <= PROFILES_MAX:
            raise Refused("InvalidRequest", f"actors must be 1 to {PROFILES_MAX}, not {len(names)}")
        dids = dict.fromkeys(did for name in names if (did := self._did(name, now)) is not None)
        profiles = (self._profile(did, now) for did in dids)
        return {"profiles": [profile for profile in profiles if profile is not None]}

    def _profile(self, did: str, now: int) -> dict[str, Any] | None:
        actor = self._identities.actor(did, now)
        if actor is None or self._identities.status(actor, now) is not None:
            return None
        records = self._repos.repo(actor).records
        profile = {"did": did, "handle": self._identities.handle(did, now)}
        written = records.get(PROFILE, {}).get("self")
        if written is not None:
            profile["displayName"] = msgspec.json.decode(self._repos.record(written).value)["displayName"]
        return profile | {
            "followersCount": self._repos.followers(actor),
            "followsCount": self._repos.following(actor),
            "postsCount": len(records.get(POST, ())),
        }

    def _list_records(self, query: Query, now: int) -> dict[str, Any]:
        """Like a PDS: the newest rkey first, and a cursor with every page that has records."""
        did, actor = self._repo(_one(query, "repo"), now)
        collection = _one(query, "collection")
        if not is_nsid(collection):
            raise Refused("InvalidRequest", "collection must be an NSID")
        limit, cursor = _limit(query), query.get("cursor", [""])[0]
        ascending = query.get("reverse", ["false"])[0] == "true"
        held = self._repos.repo(actor).records.get(collection, {})
        rkeys = sorted(held, reverse=not ascending)
        if cursor:
            rkeys = [rkey for rkey in rkeys if (rkey > cursor if ascending else rkey < cursor)]
        records = [
            {"uri": f"at://{did}/{collection}/{rkey}", "cid": record.cid, "value": record.value}
            for rkey in rkeys[:limit]
            for record in (self._repos.record(held[rkey]),)
        ]
        return {"records": records, "cursor": rkeys[:limit][-1]} if records else {"records": []}

    def _record(self, query: Query, now: int) -> dict[str, Any]:
        did, actor = self._repo(_one(query, "repo"), now)
        collection, rkey = _one(query, "collection"), _one(query, "rkey")
        written = self._repos.repo(actor).records.get(collection, {}).get(rkey)
        uri = f"at://{did}/{collection}/{rkey}"
        if written is None:
            raise Refused("RecordNotFound", f"Could not locate record: {uri}")
        record = self._repos.record(written)
        return {"uri": uri, "cid": record.cid, "value": record.value}

    def _latest_commit(self, query: Query, now: int) -> dict[str, Any]:
        did, actor = self._repo(_one(query, "did"), now)
        rev = self._repos.repo(actor).rev
        return {"cid": record_cid(f"{did} {rev}"), "rev": rev}

    def _repo(self, name: str, now: int) -> tuple[str, int]:
        """The did and actor of a readable repo; raises Refused."""
        did = self._did(name, now)
        actor = None if did is None else self._identities.actor(did, now)
        if did is None or actor is None:
            raise Refused("RepoNotFound", f"Could not find repo for {name[:300]}")
        status = self._identities.status(actor, now)
        if status is not None:
            raise Refused(_GONE[status], f"The repo of {did} is not available: {status}")
        return did, actor

    def _did(self, name: str, now: int) -> str | None:
        return name if is_did(name) else self._identities.did(name.lower(), now)


def _one(query: Query, name: str) -> str:
    values = query.get(name, [])
    if len(values) != 1:
        raise Refused("InvalidRequest", f"{name} is required, once")
    return values[0]


def _limit(query: Query) -> int:
    text = query.get("limit", [str(RECORDS_DEFAULT)])[0]
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= RECORDS_MAX):
        raise Refused("InvalidRequest", f"limit must be 1 to {RECORDS_MAX}")
    return int(text)
