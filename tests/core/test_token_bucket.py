"""How fast tokens come, for those who wait and for those who do not."""

from __future__ import annotations

import pytest

from atsite.core.token_bucket import TokenBucket


def test_a_burst_passes_and_the_rest_is_spread() -> None:
    bucket = TokenBucket(rate=10.0, burst=2.0)
    waits = [bucket.take(now) for now in (100.0, 100.0, 100.0, 100.0, 100.3, 101.0)]
    assert waits == pytest.approx([0.0, 0.0, 0.1, 0.2, 0.0, 0.0])


def test_who_does_not_wait_takes_only_what_is_there() -> None:
    bucket = TokenBucket(rate=1.0, burst=2.0)
    assert [bucket.take_within(now, 0.0) is not None for now in (0.0, 0.0, 0.0, 0.5, 1.0, 1.5)] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]


def test_it_never_holds_more_than_a_burst() -> None:
    bucket = TokenBucket(rate=1.0, burst=2.0)
    assert [bucket.take_within(now, 0.0) is not None for now in (0.0, 1000.0, 1000.0, 1000.0)] == [
        True,
        True,
        True,
        False,
    ]


def test_who_waits_for_a_while_takes_only_what_comes_meanwhile() -> None:
    bucket = TokenBucket(rate=2.0, burst=1.0)
    waits = [bucket.take_within(now, 1.0) for now in (0.0, 0.0, 0.0, 0.0, 0.5, 0.5)]
    assert waits == [0.0, 0.5, 1.0, None, 1.0, None]
