"""What the page of one clean-up shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.dateparse import parse_datetime

from atsite.core.atproto.aturi import SCHEME
from atsite.core.atproto.tid import is_tid, micros_of_tid
from atsite.core.clock import datetime_of
from search.cleanup.planning.record_types import LIKE, POST, REPOST, RecordType
from search.cleanup.states import State
from search.cleanup.web.page.forms import TYPES, AppPassword
from search.cleanup.web.page.progress import progress_of
from search.cleanup.web.schemas import PlanAnswer, Possible

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob
    from search.cleanup.web.page.person import Person

#: What records are called; the date is the time in their record key.
NAMES: Final = {
    POST: "post",
    LIKE: "like",
    REPOST: "repost",
    "app.bsky.feed.threadgate": "reply settings",
    "app.bsky.feed.postgate": "quote settings",
}
#: States whose numbers change by themselves.
LIVE: Final = frozenset({State.PLANNING, State.RUNNING, State.WAITING})


def context_of(person: Person, job: RepoCleanupJob, *, problem: str = "") -> dict[str, Any]:
    """The context of `job.html`. `problem`: why the last action was refused."""
    plan = PlanAnswer.of(job.plan) if job.plan else None
    return {
        "person": person,
        "job": job,
        "problem": problem,
        "progress": progress_of(job),
        "live": job.current_state in LIVE or job.is_to_be_cancelled,
        "possible": Possible.of(job),
        "plan": plan,
        "going": [
            {"name": TYPES[RecordType(each.type)], "count": f"{each.count:,}", "examples": _links(each.examples)}
            for each in (plan.going if plan else [])
        ],
        "kept": [
            {"name": each.sentence.rstrip("."), "count": f"{each.count:,}", "examples": _links(each.examples)}
            for each in (plan.kept if plan else [])
        ],
        "records": f"{plan.records:,}" if plan else "",
        "oldest": _moment(plan.oldest if plan else None),
        "newest": _moment(plan.newest if plan else None),
        "asks": person.unused_session() is None,
        "password": AppPassword(),
        "undone_by": job.undone_by.order_by("-job_id").first(),
    }


def _links(uris: list[str]) -> list[dict[str, str]]:
    """Each at-uri with its address at bsky.app, "" for records that have no page there."""
    found = []
    for uri in uris:
        did, _, path = uri.removeprefix(SCHEME).partition("/")
        collection, _, rkey = path.partition("/")
        url = f"https://bsky.app/profile/{did}/post/{rkey}" if collection == POST and rkey else ""
        found.append({"uri": uri, "text": named(collection, rkey) or path or uri, "url": url})
    return found


def named(collection: str, rkey: str) -> str:
    """A record in words, such as "post of 2024-03-01"; "" where the record key has no time."""
    if collection not in NAMES or not is_tid(rkey):
        return ""
    return f"{NAMES[collection]} of {datetime_of(micros_of_tid(rkey)):%Y-%m-%d}"


def _moment(text: str | None) -> Any:
    """A datetime, or the text where it is none."""
    try:
        return parse_datetime(text) or text if text else None
    except ValueError:
        return text
