"""Keys in `default`: what is believed, what is asked for again, and what goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from atsite.core.atproto.keys import public_key_of
from atsite.core.circuit_breaker import CircuitBreaker
from atsite.core.config import config
from atsite.core.identity import renewal, resolver, stored_keys
from atsite.core.identity.models import SigningKey
from atsite.core.identity.stored_keys import FRESH, RENEW_AFTER
from tests.away import default_away
from tests.core.identity import network as networks
from tests.core.identity.network import document
from tests.core.identity.test_signing_keys import did
from tests.tokens import key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from tests.core.identity.network import Network

KEYS = [public_key_of(key(number)) for number in (7, 8)]
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def network(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The directory that this process asks."""
    with networks.in_a_thread() as found:
        monkeypatch.setattr(resolver, "config", replace(config, plc_url=found.url))
        yield found


def stored() -> dict[str, str]:
    return dict(SigningKey.objects.values_list("did", "key"))


def test_a_key_is_believed_for_a_day_and_asked_for_again_after_hours() -> None:
    now = timezone.now()
    stored_keys.keep({did(1): KEYS[0]}, now=now)
    stored_keys.keep({did(2): KEYS[0]}, now=now - RENEW_AFTER - SECOND)
    stored_keys.keep({did(3): KEYS[0]}, now=now - FRESH - SECOND)
    dids = [did(number) for number in (1, 2, 3, 4)]
    assert stored_keys.fresh(dids) == {did(1): KEYS[0], did(2): KEYS[0]}
    assert stored_keys.due(dids, now=now) == {did(2), did(3), did(4)}
    assert stored_keys.expire(now=now) == 1
    assert set(stored()) == {did(1), did(2)}


def test_what_is_newer_takes_the_place_of_the_older_and_no_key_is_no_answer() -> None:
    now = timezone.now()
    stored_keys.keep({did(1): KEYS[0], did(2): KEYS[0]}, now=now - RENEW_AFTER)
    stored_keys.keep({did(1): KEYS[1], did(2): None}, now=now)
    assert stored_keys.fresh([did(1), did(2)]) == {did(1): KEYS[1]}
    assert stored_keys.due([did(1), did(2)], now=now) == set()


def test_a_reader_can_replace_a_key_and_never_add_one() -> None:
    stored_keys.keep({did(1): KEYS[0]}, now=timezone.now() - RENEW_AFTER)
    for number in (1, 2):
        stored_keys.replace(did(number), KEYS[1])
    assert stored_keys.fresh([did(1), did(2)]) == {did(1): KEYS[1]}
    assert set(stored()) == {did(1)}
    assert stored_keys.due([did(1)], now=timezone.now()) == set()  # it counts as fetched now
    stored_keys.replace(did(1), None)
    assert stored_keys.fresh([did(1)]) == {}


def test_many_keys_are_stored_and_read_at_once() -> None:
    many = {did(number): KEYS[0] for number in range(26 * 26)}
    stored_keys.keep(many, now=timezone.now())
    assert stored_keys.fresh(list(many)) == many


def test_a_renewal_asks_for_what_is_due_and_leaves_what_is_not_answered(network: Network) -> None:
    stored_keys.keep({did(1): KEYS[0]}, now=timezone.now())
    stored_keys.keep({did(number): KEYS[0] for number in (2, 3, 4)}, now=timezone.now() - RENEW_AFTER)
    network.answers = {
        f"/{did(2)}": document(did(2), "a.test", KEYS[1].multibase),
        f"/{did(3)}": 404,
        f"/{did(4)}": 503,
    }
    assert renewal.renew([did(number) for number in (1, 2, 3, 4)], seconds=60) == 2
    assert sorted(network.asked) == sorted(f"/{did(number)}" for number in (2, 3, 4))
    first, second = KEYS[0].multibase, KEYS[1].multibase
    assert stored() == {did(1): first, did(2): second, did(3): "", did(4): first}
    assert stored_keys.due([did(number) for number in (1, 2, 3, 4)], now=timezone.now()) == {did(4)}


def test_a_database_that_is_away_knows_no_keys_and_is_left_alone_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    now = [0.0]
    breaker = CircuitBreaker(pause=1.0, trial=4.0, clock=lambda: now[0])
    monkeypatch.setattr(stored_keys, "_breaker", breaker)
    stored_keys.keep({did(1): KEYS[0]}, now=timezone.now())
    with default_away(tmp_path):
        assert stored_keys.fresh([did(1)]) == {}
    assert stored_keys.fresh([did(1)]) == {}
    now[0] = 1.0
    assert stored_keys.fresh([did(1)]) == {did(1): KEYS[0]}
