"""since and until: days and datetimes, and nothing else."""

from __future__ import annotations

import pytest

from atsite.core.errors import InvalidSyntax
from indexer.index.query.period import micros_of


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01", 0),
        ("2025-01-31", 1_738_281_600_000_000),
        ("2025-01-31T00:00:00Z", 1_738_281_600_000_000),
        ("2025-01-31T02:00:00.000001+02:00", 1_738_281_600_000_001),
        ("0001-01-01", -62_135_596_800_000_000),
        ("9999-12-31", 253_402_214_400_000_000),
    ],
)
def test_a_day_is_its_first_moment(text: str, micros: int) -> None:
    assert micros_of(text) == micros


@pytest.mark.parametrize(
    "text",
    ["", "today", "2025", "2025-13-01", "2025-02-30", "2025-1-1", "2025-01-01T00:00:00", "1738281600", "٢٠٢٥-٠١-٠١"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidSyntax):
        micros_of(text)
