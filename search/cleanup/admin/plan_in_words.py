"""What an operator sees of a plan: numbers and the sentences of its reasons, never an at-uri or a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.cleanup.planning.reasons import Reason
from search.cleanup.planning.record_types import RecordType

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class PlanInWords:
    """Numbers of a plan, each with what it counts."""

    sums: list[tuple[str, str]]
    #: Records that go, by type; one of two types counts in both.
    going: list[tuple[str, str]]
    #: Records that are kept, by the sentence that their owner reads.
    kept: list[tuple[str, str]]


def in_words(plan: Mapping[str, Any]) -> PlanInWords | None:
    """The numbers of a job's `plan`; None where it has none yet."""
    if not plan:
        return None
    sums = [
        ("records read", _number(plan.get("records"))),
        ("to be deleted", _number(plan.get("deletes"))),
        ("gates among them", _number(plan.get("gates"))),
        ("kept because a count is missing", _number(plan.get("uncounted"))),
        ("the oldest", _day(plan.get("oldest"))),
        ("the newest", _day(plan.get("newest"))),
        ("hours at most", _number(plan.get("hours"))),
    ]
    types = {str(kind): kind.replace("_", " ") for kind in RecordType}
    sentences = {str(reason): reason.sentence for reason in Reason}
    return PlanInWords(
        sums, _counted(plan.get("going_by_type"), types), _counted(plan.get("kept_by_reason"), sentences)
    )


def _counted(counts: Any, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """The largest first. A name of another version of this project is not repeated."""
    found = {name: count for name, count in (counts or {}).items() if isinstance(count, int)}
    largest = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [(names.get(name, "another"), f"{count:,}") for name, count in largest]


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def _day(value: Any) -> str:
    """The day of an ISO 8601 time."""
    return value[:10] if isinstance(value, str) else "–"
