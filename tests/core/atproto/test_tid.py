from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.tid import (
    CLOCK_ID_MAX,
    MICROS_MAX,
    TID_MAX,
    int_to_tid,
    is_tid,
    micros_of_tid,
    tid_of_micros,
    tid_to_int,
)
from atsite.core.errors import InvalidSyntax

numbers = st.integers(0, TID_MAX)


@given(numbers)
def test_an_integer_survives_its_tid(number: int) -> None:
    text = int_to_tid(number)
    assert is_tid(text)
    assert tid_to_int(text) == number


@given(st.from_regex(r"[2-7a-j][2-7a-z]{12}", fullmatch=True))
def test_a_tid_survives_its_integer(text: str) -> None:
    assert int_to_tid(tid_to_int(text)) == text


@given(st.integers(0, MICROS_MAX), st.integers(0, CLOCK_ID_MAX))
def test_the_microseconds_survive_their_tid(micros: int, clock_id: int) -> None:
    text = tid_of_micros(micros, clock_id)
    assert micros_of_tid(text) == micros
    assert tid_to_int(text) % 1024 == clock_id


@given(numbers, numbers)
def test_tids_sort_as_their_integers_do(left: int, right: int) -> None:
    assert (int_to_tid(left) < int_to_tid(right)) == (left < right)


def test_a_tid_of_the_live_network_holds_the_time_of_its_commit() -> None:
    assert micros_of_tid("3mmoojp7vgo2g") == 1_779_719_008_873_876
    assert tid_of_micros(1_779_719_008_873_876, 12) == "3mmoojp7vgo2g"


@pytest.mark.parametrize("text", ["", "2222222222222\n", "222222222222", "zzzzzzzzzzzzz", "222222222222é", "self"])
def test_text_that_is_no_tid_is_refused(text: str) -> None:
    assert not is_tid(text)
    for convert in (tid_to_int, micros_of_tid):
        with pytest.raises(InvalidSyntax, match="not a valid tid"):
            convert(text)


@pytest.mark.parametrize(("micros", "clock_id"), [(-1, 0), (MICROS_MAX + 1, 0), (0, -1), (0, 1024)])
def test_a_time_that_does_not_fit_is_refused(micros: int, clock_id: int) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid time and clock id of a tid"):
        tid_of_micros(micros, clock_id)


@pytest.mark.parametrize("number", [-1, TID_MAX + 1])
def test_an_integer_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid tid integer"):
        int_to_tid(number)
