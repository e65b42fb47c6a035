"""What is counted of a batch once it is durable."""

from __future__ import annotations

from prometheus_client import REGISTRY

from indexer.index.events import AccountEvent, Dead, DeadReason, IdentityEvent, RecordEvent, SkipReason
from indexer.index.gaps import Gap, GapReason
from indexer.stream import metrics
from indexer.stream.batch import Batch
from indexer.stream.decode import decode
from tests.indexer import frames
from tests.indexer.frames import LIKE, POST, T0

REPO = frames.did(1)


def record(collection: str) -> RecordEvent:
    decoded = decode(frames.commit(REPO, collection, "3mmoojp7etg2g", {}, at=T0, seen=T0))
    assert isinstance(decoded, RecordEvent)
    return decoded


def counted() -> dict[str, float]:
    """Every sample of the indexer that counts, by its name and labels; those of buckets are left out."""
    return {
        " ".join([sample.name.removeprefix("indexer_"), *sample.labels.values()]): sample.value
        for family in REGISTRY.collect()
        if family.name.startswith("indexer_") and family.type in ("counter", "histogram")
        for sample in family.samples
        if not sample.name.endswith(("_created", "_bucket"))
    }


def test_each_event_of_a_durable_batch_is_counted_by_what_became_of_it() -> None:
    batch = Batch(
        records=[record(POST), record(LIKE), record(LIKE), record("com.example.thing")],
        identities=[IdentityEvent(REPO, "a.test", T0, 1)],
        accounts=[AccountEvent(REPO, True, "", T0, version) for version in (1, 2)],
        dead=[Dead(DeadReason.BAD_DID, "", b"", T0)],
        gaps=[Gap(1, 2, GapReason.CLAMPED)],
        skipped={SkipReason.BELOW_FLOOR: 5},
        events=13,
    )
    before = counted()
    metrics.count(batch)
    after = counted()
    assert {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)} == {
        f"events_total {POST} create": 1,
        f"events_total {LIKE} create": 2,
        "events_total other create": 1,
        "events_total identity update": 1,
        "events_total account update": 2,
        f"dead_total {DeadReason.BAD_DID}": 1,
        "gaps_total clamped": 1,
        "skipped_total below_floor": 5,
        "batch_rows_count": 1,
        "batch_rows_sum": 13,
    }
