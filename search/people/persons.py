"""What is known of accounts now: the facts that decide whether a search shows them, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from indexer.index.purge import ENDS_IDENTITY
from search.people.asked import HEAD, LONG_HEAD
from search.people.queries import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.atproto.syntax import Did

#: The handle that an AppView or an event names for one that could not be verified.
INVALID: Final = "handle.invalid"


@dataclass(frozen=True, slots=True)
class Person:
    """An account as people_facts has it. Empty: unknown, given up, or dead (older than the account's floor)."""

    did: Did
    handle: str
    name: str
    words: str
    avatar: str
    active: bool
    #: The account asks not to be shown to callers who are not signed in.
    hidden: bool
    followers: int


@dataclass(frozen=True, slots=True)
class _Facts:
    did: Did
    handle: str
    handle_version: int
    name: str
    words: str
    name_version: int
    avatar: str
    hidden: str
    profile_version: int
    active: str
    floor: int
    floor_reason: str
    followers: str


FACTS: Final = """
SELECT
    did,
    argMaxIf(value, version, fact = 'handle'),
    maxIf(version, fact = 'handle'),
    argMaxIf(value, version, fact = 'name'),
    argMaxIf(words, version, fact = 'name'),
    maxIf(version, fact = 'name'),
    argMaxIf(value, version, fact = 'avatar'),
    argMaxIf(value, version, fact = 'hidden'),
    maxIf(version, fact = 'hidden'),
    argMaxIf(value, version, fact = 'active'),
    maxIf(version, fact = 'floor'),
    argMaxIf(value, version, fact = 'floor'),
    argMaxIf(value, version, fact = 'followers')
FROM people_facts
WHERE did IN {dids:Array(String)}
GROUP BY did
"""
# Of a handle that several accounts were said to have, the youngest word counts (docs/decisions/0053-handles.md).
OWNERS: Final = """
SELECT token, argMax(did, (known.version, did)), max(known.version)
FROM people_tokens
WHERE substringUTF8(token, 1, 4) IN {heads:Array(String)} AND substringUTF8(token, 1, 6) IN {long_heads:Array(String)}
AND token IN {handles:Array(String)}
GROUP BY token
"""


@dataclass(frozen=True, slots=True)
class _Owner:
    handle: str
    did: Did
    version: int


def persons(dids: Collection[Did]) -> dict[Did, Person]:
    """The accounts of these dids that the index knows. Raises ClickHouseError."""
    if not dids:
        return {}
    facts = door.query(FACTS, {"dids": list(dids)}, into=_Facts, name="search.people_facts", limits=PEOPLE)
    owners = _owners({row.handle for row in facts if row.handle and row.handle != INVALID})
    return {row.did: _person(row, owners.get(row.handle)) for row in facts}


def _owners(handles: Collection[str]) -> dict[str, _Owner]:
    if not handles:
        return {}
    params = {
        "heads": sorted({handle[:HEAD] for handle in handles}),
        "long_heads": sorted({handle[:LONG_HEAD] for handle in handles}),
        "handles": sorted(handles),
    }
    rows = door.query(OWNERS, params, into=_Owner, name="search.people_owners", limits=PEOPLE)
    return {row.handle: row for row in rows}


def _person(row: _Facts, owner: _Owner | None) -> Person:
    lost = owner is not None and owner.did != row.did and owner.version > row.handle_version
    ended = row.floor_reason in ENDS_IDENTITY and row.handle_version < row.floor
    dead = row.name_version < row.floor
    dead_profile = row.profile_version < row.floor
    return Person(
        did=row.did,
        handle="" if lost or ended or row.handle == INVALID else row.handle,
        name="" if dead else row.name,
        words="" if dead else row.words,
        avatar="" if dead_profile else row.avatar,
        active=row.active != "0",
        hidden=row.hidden == "1" and not dead_profile,
        followers=int(row.followers or 0),
    )


# A block counts while it exists; one statement for both ways. Deletes name no subject, so they are met by FINAL.
BLOCKED: Final = """
SELECT subject_did AS other FROM blocks FINAL
WHERE did = {viewer:String} AND subject_did IN {dids:Array(String)} AND deleted = 0
UNION ALL
SELECT did FROM blocks FINAL
WHERE (did, rkey) IN
(
    SELECT did, rkey FROM blockers WHERE subject_did = {viewer:String} AND did IN {dids:Array(String)}
)
AND subject_did = {viewer:String} AND deleted = 0
"""


def blocked_either_way(viewer: Did, dids: Collection[Did]) -> set[Did]:
    """Those of `dids` that the viewer blocks, or that block the viewer. Raises ClickHouseError."""
    if not dids:
        return set()
    params = {"viewer": viewer, "dids": list(dids)}
    return set(door.column(BLOCKED, params, name="search.people_blocked", limits=PEOPLE))


# As of the followers of a post's author elsewhere: a follow counts unless its key was retracted since.
FOLLOWING: Final = """
SELECT DISTINCT did
FROM
(
    SELECT did, rkey, version FROM followers WHERE subject_did = {viewer:String} AND did IN {dids:Array(String)}
) AS made
LEFT ANY JOIN
(
    SELECT did, rkey, max(version) AS gone FROM retractions
    WHERE kind = 'follow' AND (rkey, did) IN
    (
        SELECT rkey, did FROM followers WHERE subject_did = {viewer:String} AND did IN {dids:Array(String)}
    )
    GROUP BY did, rkey
) AS retracted USING (did, rkey)
WHERE version >= gone
"""


def following(viewer: Did, dids: Collection[Did]) -> set[Did]:
    """Those of `dids` that follow the viewer. Raises ClickHouseError."""
    if not dids:
        return set()
    params = {"viewer": viewer, "dids": list(dids)}
    return set(door.column(FOLLOWING, params, name="search.people_following", limits=PEOPLE))
