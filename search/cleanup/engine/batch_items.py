"""The records of a batch and what became of them. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from search.cleanup.planning.plan import GATES
from search.cleanup.planning.record_types import POST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from search.cleanup.planning.plan import Plan

    Item = Sequence[str]  # collection/rkey, cid

_GATE_PREFIXES: Final = tuple(f"{collection}/" for collection in GATES)


def cut(units: Iterable[Sequence[Item]], size: int) -> Iterator[list[Item]]:
    """Batches of up to `size` items, in order; a unit stays in one batch unless it is longer than `size`."""
    batch: list[Item] = []
    for unit in units:
        if batch and len(batch) + len(unit) > size:
            yield batch
            batch = []
        batch.extend(unit)
        while len(batch) > size:
            yield batch[:size]
            batch = batch[size:]
    if batch:
        yield batch


def units_of(plan: Plan) -> Iterator[list[Item]]:
    """Each record that goes, the oldest first, with the gates that go with it."""
    start = plan.path_start
    gates: dict[str, list[Item]] = {}
    for gate in plan.gates:
        gates.setdefault(gate.uri.rpartition("/")[2], []).append((gate.uri[start:], gate.cid))
    for record in plan.going:
        path = record.uri[start:]
        own = gates.get(path.removeprefix(f"{POST}/"), []) if path.startswith(f"{POST}/") else []
        yield [(path, record.cid), *own]


def with_outcomes(outcome: str, changes: Mapping[int, str]) -> str:
    """`outcome` with other characters at some positions."""
    letters = list(outcome)
    for index, letter in changes.items():
        letters[index] = letter
    return "".join(letters)


def at(outcome: str, *letters: str) -> list[int]:
    """The positions of items with one of these outcomes."""
    return [index for index, each in enumerate(outcome) if each in letters]


def gates_of(posts: Iterable[int], items: Sequence[Item]) -> list[int]:
    """The positions of the gates that go with the posts at these positions."""
    rkeys = {items[index][0].removeprefix(f"{POST}/") for index in posts if items[index][0].startswith(f"{POST}/")}
    return [
        index
        for index, (path, _) in enumerate(items)
        if path.startswith(_GATE_PREFIXES) and path.rpartition("/")[2] in rkeys
    ]
