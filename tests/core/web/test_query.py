from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from atsite.core.web.query import WholeNumber

NUMBER: TypeAdapter[int] = TypeAdapter(WholeNumber)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("10", 10), ("007", 7), ("9" * 9, 999_999_999)])
def test_a_whole_number_is_its_digits(text: str, number: int) -> None:
    assert NUMBER.validate_python(text) == number


@pytest.mark.parametrize("text", ["", " 10", "1_0", "10.0", "+1", "-1", "1e1", "\u0661", "\u00b2", "9" * 10])
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(ValidationError, match="expected a whole number"):
        NUMBER.validate_python(text)
