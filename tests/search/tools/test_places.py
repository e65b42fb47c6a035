"""How much of the tools runs at once."""

from __future__ import annotations

import pytest

from search.tools.places import NoPlace, Places


def test_one_caller_has_half_of_the_places_and_all_callers_together_have_all() -> None:
    places = Places(lambda: 4)
    first, second = places.take("a"), places.take("a")
    with pytest.raises(NoPlace, match="you use this tool already"):
        places.take("a")
    places.take("b")
    places.take("c")
    with pytest.raises(NoPlace, match="too many callers"):
        places.take("d")
    first()
    first()
    places.take("d")
    with pytest.raises(NoPlace, match="too many callers"):
        places.take("e")
    second()
    places.take("e")


def test_a_caller_who_has_given_everything_back_is_forgotten() -> None:
    places = Places(lambda: 1)
    for number in range(100):
        places.take(f"caller {number}")()
    assert len(places._taken) == 0
