"""What search asks of actors."""

from __future__ import annotations

from search.posts import queries
from tests.builders import ALICE, BOB, ago, identity, store


def test_a_handle_belongs_to_whoever_took_it_last(clickhouse: None) -> None:
    store(identity(ALICE, "a.test", at=ago(hours=2)), identity(BOB, "a.test", at=ago(hours=1)))
    assert queries.actor_of_handle("a.test") == BOB

    store(identity(BOB, "b.test", at=ago(minutes=1)))
    assert queries.actor_of_handle("a.test") == ALICE
    assert queries.actor_of_handle("c.test") is None
