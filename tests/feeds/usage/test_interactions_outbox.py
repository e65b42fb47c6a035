"""The queue of interactions: what ClickHouse refuses, loses the answer of, or cannot take for long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from atsite.core.clickhouse.errors import BadContent, Unreachable
from atsite.core.web.xrpc import XrpcError
from feeds.usage import interactions
from feeds.usage.interactions import Interaction
from feeds.usage.interactions_outbox import OF_ONE_SENDER_MAX, WAITING_MAX, Outbox, OutboxFull
from tests.feeds.usage.test_interactions import POST, SEEN, stored

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Within the 30 days after which rows go by themselves.
NOW = datetime.now(UTC).replace(microsecond=0)


def row(number: int = 1, sender: str = "a") -> Interaction:
    return Interaction(NOW, number, "whats-hot", POST, SEEN, "", "", sender)


def test_rows_whose_answer_was_lost_are_stored_once(clickhouse: None) -> None:
    attempts = []

    def store(rows: Sequence[Interaction]) -> None:
        attempts.append(list(rows))
        interactions.store(rows)
        if len(attempts) == 1:
            raise Unreachable("the answer was lost", code=0, name="tests")

    outbox = Outbox(store)
    outbox.add([row(1), row(2)])
    outbox.flush()
    outbox.add([row(3)])
    outbox.flush()
    assert attempts == [[row(1), row(2)], [row(1), row(2), row(3)]]
    assert len(stored()) == 3


def test_rows_that_clickhouse_never_takes_make_room_for_others() -> None:
    kept: list[Interaction] = []

    def store(rows: Sequence[Interaction]) -> None:
        if row(1) in rows:
            raise BadContent("no", code=0, name="tests")
        kept.extend(rows)

    outbox = Outbox(store)
    lost, waiting = sample("lost_total"), sample("waiting_bytes")
    outbox.add([row(1), row(1)])
    assert sample("waiting_bytes") > waiting
    outbox.flush()
    assert (sample("lost_total") - lost, sample("waiting_bytes")) == (2, 0)
    outbox.add([row(2)])
    outbox.flush()
    assert kept == [row(2)]


def sample(name: str) -> float:
    return REGISTRY.get_sample_value(f"feed_interactions_{name}") or 0


def test_a_full_outbox_takes_nothing_until_it_was_emptied() -> None:
    away = True

    def store(rows: Sequence[Interaction]) -> None:
        if away:
            raise Unreachable("away", code=0, name="tests")

    outbox = Outbox(store)
    large = [replace(row(sender=str(number)), feed_context="x" * 2000) for number in range(100)]
    outbox.add([large[number % 100] for number in range(WAITING_MAX // large[99].bytes)])
    outbox.check_room("b")
    outbox.add(large[-10:])
    with pytest.raises(OutboxFull):
        outbox.check_room("b")
    outbox.flush()
    with pytest.raises(OutboxFull):
        outbox.check_room("b")
    away = False
    outbox.flush()
    outbox.check_room("b")


def test_one_sender_fills_an_eighth_of_the_outbox_and_the_others_still_fit_in() -> None:
    away = True

    def store(rows: Sequence[Interaction]) -> None:
        if away:
            raise Unreachable("away", code=0, name="tests")

    outbox = Outbox(store)
    large = replace(row(), feed_context="x" * 2000)
    outbox.add([large] * (OF_ONE_SENDER_MAX // large.bytes))
    outbox.check_room("a")
    outbox.add([large, row(sender="b")])
    with pytest.raises(XrpcError) as refused:
        outbox.check_room("a")
    said = "too many interactions from one reader wait to be stored, try again later"
    assert (refused.value.status, refused.value.name, refused.value.message, refused.value.headers) == (
        *(429, "RateLimitExceeded", said),
        {"Retry-After": "10"},
    )
    outbox.check_room("b")
    away = False
    outbox.flush()
    outbox.check_room("a")
    assert outbox._bytes_of == {}
