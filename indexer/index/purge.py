"""Deletes dead rows: every row of a did with a version below its floor.

1. A floor (`repo_floors`) is set when an account is deleted or a repo starts over. From then on the indexer drops older
   events of the did, and readers find the floor when they look up a candidate's actor.
2. A purge deletes the dead rows permanently, from every table with rows by did, also the raw events. The floors stay,
   because a replay must still meet them.
3. Rows say what is due: floors above the one last purged (`purges`), and dead rows among the arrivals of the last two
   days (events that arrived before their floor).

A DELETE waits for running merges (34 s were measured) and costs the same for one did as for hundreds. So it runs in a
task, apart from inserts, once for a whole batch of dids. Repeating it changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from indexer.index.floors import ACCOUNT_DELETED, DO_NOT_INDEX, FloorRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime


#: Dids of one DELETE: its text names each of them twice, and is kept with the table until it is done.
BATCH = 500

#: A floor comes in the same batch as the rows below it, or near it; two days are far more than any replay.
LOOK_BACK = timedelta(days=2)

#: The reasons of floors that also end identity events; a repo that starts over keeps its handle.
ENDS_IDENTITY = (ACCOUNT_DELETED, DO_NOT_INDEX)


def purge_dead(*, now: datetime) -> int:
    """Purge every did that is due; returns how many."""
    due = {floor.did: floor for floor in [*unpurged_floors(), *floors_of_dead_arrivals(since=now - LOOK_BACK)]}
    purge(list(due.values()), now=now)
    return len(due)


def purge(floors: Sequence[FloorRow], *, now: datetime) -> None:
    """Delete the rows below these floors (one per did), and record that it was done."""
    for start in range(0, len(floors), BATCH):
        batch = floors[start : start + BATCH]
        for table, statement in DELETES.items():
            _delete(table, statement, batch)
        ended = [floor for floor in batch if floor.reason in ENDS_IDENTITY]
        for table, statement in {**DELETES_BY_TIME, **DELETES_OF_HANDLES}.items():
            _delete(table, statement, ended)
        # The raw events last: they, and the missing mark, make an interrupted purge due again.
        _delete("repo_records", DELETE_RAW, batch)
        _remember(batch, now)


#: The tables with a did and the version of a commit in each row.
PURGED_TABLES = (
    "posts",
    "posts_by_actor",
    "likes",
    "reposts",
    "follows",
    "blocks",
    "blockers",
    "engagement",
    "followers",
    "retractions",
    "actor_profiles",
)
# `transform` gives each row the floor of its own did, so that one statement serves a whole batch.
DELETES = {
    table: f"""
DELETE FROM {table} WHERE did IN {{dids:Array(String)}}
AND version < transform(did, {{dids:Array(String)}}, {{floors:Array(UInt64)}}, toUInt64(0))
"""  # noqa: S608  the tables are those above
    for table in PURGED_TABLES
}
#: The tables with microseconds as version, while floors are TIDs: identity events and fills. Account states stay: they
#: say that the account is deleted.
TIMED_TABLES = ("actor_identities", "identity_changes", "actor_fills", "actor_handles", "actor_counts")
DELETES_BY_TIME = {
    table: f"""
DELETE FROM {table} WHERE did IN {{dids:Array(String)}}
AND version < intDiv(transform(did, {{dids:Array(String)}}, {{floors:Array(UInt64)}}, toUInt64(0)), 1024)
"""  # noqa: S608  the tables are those above
    for table in TIMED_TABLES
}
# Tables with several kinds of rows. Versions are comparable with floors; `active` and `floor` stay, as they say that
# the account is deleted, and `followers` goes with the handle.
MIXED_TABLES = ("people_facts", "people_tokens")
_BELOW = """did IN {dids:Array(String)}
AND version_ < transform(did, {dids:Array(String)}, {floors:Array(UInt64)}, toUInt64(0))
"""
_OF_FACT, _OF_TOKEN = _BELOW.replace("version_", "version"), _BELOW.replace("version_", "known.version")
DELETES |= {
    "people_facts": f"DELETE FROM people_facts WHERE fact IN ('name', 'avatar', 'hidden') AND {_OF_FACT}",  # noqa: S608
    "people_tokens": f"DELETE FROM people_tokens WHERE position(token, '.') = 0 AND {_OF_TOKEN}",  # noqa: S608
}
DELETES_OF_HANDLES = {
    "people_facts": f"DELETE FROM people_facts WHERE fact IN ('handle', 'followers') AND {_OF_FACT}",  # noqa: S608
    "people_tokens": f"DELETE FROM people_tokens WHERE position(token, '.') > 0 AND {_OF_TOKEN}",  # noqa: S608
}
DELETE_RAW = """
DELETE FROM repo_records WHERE repo IN {dids:Array(String)}
AND version < transform(repo, {dids:Array(String)}, {floors:Array(UInt64)}, toUInt64(0))
"""


def _delete(table: str, statement: str, floors: Sequence[FloorRow]) -> None:
    if floors:
        parameters = {"dids": [floor.did for floor in floors], "floors": [floor.floor for floor in floors]}
        door.execute(statement, parameters, name=f"indexer.purge.{table}", limits=TASK)


UNPURGED_FLOORS = """
SELECT did, floor, reason
FROM repo_floors FINAL
LEFT ANY JOIN (SELECT did, floor AS done FROM purges FINAL) AS purged USING (did)
WHERE floor > done
ORDER BY did
"""


def unpurged_floors() -> list[FloorRow]:
    """The floors that were not purged yet."""
    return door.query(UNPURGED_FLOORS, into=FloorRow, name="indexer.unpurged_floors", limits=TASK)


UNPURGED_FLOORS_OF = """
SELECT did, floor, reason
FROM (SELECT did, floor, reason FROM repo_floors FINAL WHERE did IN {dids:Array(String)}) AS floors
LEFT ANY JOIN (SELECT did, floor AS done FROM purges FINAL WHERE did IN {dids:Array(String)}) AS purged USING (did)
WHERE floor > done
ORDER BY did
"""


def unpurged_floors_of(dids: Collection[str]) -> list[FloorRow]:
    """The same for these dids only, without reading all floors."""
    params = {"dids": sorted(dids)}
    return door.query(UNPURGED_FLOORS_OF, params, into=FloorRow, name="indexer.unpurged_floors_of", limits=TASK)


FLOORS_OF_DEAD_ARRIVALS = """
SELECT DISTINCT did, floor, reason
FROM (SELECT repo AS did, version FROM repo_records WHERE stored_at >= {since:DateTime64(6, 'UTC')}) AS arrivals
INNER JOIN (SELECT did, floor, reason FROM repo_floors FINAL) AS floors USING (did)
WHERE version < floor
ORDER BY did
"""


def floors_of_dead_arrivals(*, since: datetime) -> list[FloorRow]:
    """The floors of dids with dead events that arrived since then."""
    return door.query(
        FLOORS_OF_DEAD_ARRIVALS, {"since": since}, into=FloorRow, name="indexer.floors_of_dead_arrivals", limits=TASK
    )


def _remember(floors: Sequence[FloorRow], now: datetime) -> None:
    columns: dict[str, list[object]] = {
        "did": [floor.did for floor in floors],
        "floor": [floor.floor for floor in floors],
        "purged_at": [now] * len(floors),
    }
    door.insert("purges", columns, name="indexer.purges")
