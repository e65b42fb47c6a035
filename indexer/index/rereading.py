"""Reprocesses stored raw events: after a rule of the views changed, and where a derived row is missing.

Inserting an event again changes nothing in `repo_records`, but makes its derived rows again; of two rows with the same
version the one inserted last wins. A migration that changes a rule writes a row to `rereadings` for each day of stored
raw events. The row is the work: days are done one by one, newest first, and an interrupted day starts over. Anything
older than the raw events stays unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from atsite.core.kv.lock import single_flight

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime, timedelta

log = structlog.get_logger(__name__)

#: The copy keeps `stored_at`, so that retention does not get longer. Dead rows are left to the purge.
AGAIN: Final = """
INSERT INTO repo_records
    (repo, collection, rkey, operation, rev, cid, record_json, time_us, version, source, stored_at)
SELECT repo, collection, rkey, operation, rev, cid, record_json, time_us, version, source, stored_at
FROM (SELECT * FROM repo_records WHERE {which}) AS events
LEFT ANY JOIN (SELECT did AS repo, floor FROM repo_floors FINAL) AS floors USING (repo)
WHERE version >= floor
"""

# Events that a changed rule may read differently. Too many are harmless, as others are written unchanged: dates in an
# unusual form; an unexpected type of a key; a list item that is not a text; a list in a list; a list of objects with a
# first object without a nested object; images without any alt text.
_USUAL_DATE: Final = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?Z$"
_WRONG_TYPE: Final = "|".join(
    (
        r'"(text|createdAt|[$]type|tag|did|uri|val|alt|displayName|description|[$]link)"\s*:\s*[^"\s]',
        r'"(reply|parent|root|labels|embed|external|record|media|avatar|ref)"\s*:\s*\[',
        r'"(langs|tags)"\s*:\s*\[([^\]]*,)?\s*[^"\s\],]',
        r"[\[,]\s*\[",
        r'"(images|items|values)"\s*:\s*\[\s*([^{\s\]]|[{][^{}]*[}])',
    )
)
OF_DAY: Final = {
    "created_at": f"""
day = {{day:Date}} AND operation != 'delete' AND (
    collection = 'app.bsky.feed.post' AND (
        NOT match(JSONExtractString(record_json, 'createdAt'), '{_USUAL_DATE}')
        OR JSONExtractString(record_json, 'createdAt') < '0001'
        OR multiSearchAny(record_json, ['"images"', '"items"']) AND position(record_json, '"alt"') = 0)
    OR collection IN ('app.bsky.graph.follow', 'app.bsky.graph.block')
        AND match(record_json, '"subject"\\\\s*:\\\\s*[^"\\\\s]')
    OR collection IN ('app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.actor.profile')
        AND match(record_json, '{_WRONG_TYPE.replace(chr(92), chr(92) * 2)}'))
"""
}


@dataclass(frozen=True, slots=True)
class Due:
    """A day that is due."""

    reason: str
    day: date


DUE: Final = "SELECT reason, day FROM rereadings FINAL WHERE done = 0 ORDER BY day DESC, reason"


def due() -> list[Due]:
    """The days that are due, newest first."""
    return door.query(DUE, into=Due, name="indexer.rereadings_due", limits=TASK)


def run_due(*, now: datetime, budget: timedelta) -> int:
    """Reprocess days until none is due or the budget is spent; returns how many. Raises ClickHouseError."""
    deadline, days = monotonic() + budget.total_seconds(), 0
    with single_flight("indexer.rereading", budget.total_seconds() + TASK.socket_timeout) as mine:
        for waiting in due() if mine else ():
            if monotonic() >= deadline:
                break
            which = OF_DAY[waiting.reason]
            door.execute(AGAIN.replace("{which}", which), {"day": waiting.day}, name="indexer.reread_day", limits=TASK)
            columns: dict[str, list[object]] = {
                "reason": [waiting.reason],
                "day": [waiting.day],
                "done": [1],
                "changed_at": [now],
            }
            door.insert("rereadings", columns, name="indexer.rereadings")
            log.info("rereading.day_done", reason=waiting.reason, day=str(waiting.day))
            days += 1
    return days


OF_KEYS: Final = """
collection = {collection:String} AND repo IN {dids:Array(String)}
AND (repo, rkey) IN arrayZip({dids:Array(String)}, {rkeys:Array(String)})
"""


def reread(collection: str, keys: Collection[tuple[str, str]]) -> None:
    """Reprocess the raw events of these keys (did, rkey). Raises ClickHouseError."""
    params = {"collection": collection, "dids": [did for did, _ in keys], "rkeys": [rkey for _, rkey in keys]}
    door.execute(AGAIN.replace("{which}", OF_KEYS), params, name="indexer.reread_keys", limits=TASK)
