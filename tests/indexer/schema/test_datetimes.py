"""createdAt, value by value: ClickHouse's reading beside Python's two, the site's own and the fold's."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.timestamps import micros_of_datetime
from atsite.core.clickhouse import door
from atsite.core.errors import InvalidSyntax
from tests.core.atproto.vectors import read_vectors
from tests.indexer.schema import fold
from tests.indexer.schema.test_odd_records import ODD_DATES

if TYPE_CHECKING:
    from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
#: Milliseconds of the years 1 to 9999.
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999


def read(texts: list[str]) -> dict[str, int | None]:
    """What ClickHouse reads, in milliseconds since 1970."""
    sql = """
        SELECT [ifNull(toString(toUnixTimestamp64Milli(atsiteDatetime(text))), '')]
        FROM (SELECT arrayJoin({texts:Array(String)}) AS text)
    """
    found = [row[0] for row in door.column(sql, {"texts": texts}, name="tests.datetimes")]
    return {text: int(value) if value else None for text, value in zip(texts, found, strict=True)}


def folded(text: str) -> int | None:
    moment = fold._moment(text)
    return None if moment is None else (moment - EPOCH) // MILLISECOND


def variations(seed: int, number: int) -> list[str]:
    """Datetimes of the lexicon's form, most of them with one or two characters changed, taken out or doubled."""
    chance = random.Random(seed)
    texts = []
    for _ in range(number):
        year = chance.choice((0, 1, 2, 1969, 1970, 2000, 2015, 2026, 9998, 9999))
        text = f"{year:04}-{chance.randrange(14):02}-{chance.randrange(33):02}T"
        text += f"{chance.randrange(26):02}:{chance.randrange(62):02}:{chance.randrange(62):02}"
        text += chance.choice(("", ".", ".5", ".999", ".123456789", "." + "9" * chance.randrange(1, 40)))
        text += chance.choice(("Z", "z", "", "+00:00", "-00:00", "+1400", "-23:59", "+24:00", "+05", "GMT"))
        for _ in range(chance.choice((0, 0, 1, 2))):
            place = chance.randrange(len(text) or 1)
            instead = chance.choice(("", text[place : place + 1] * 2, chance.choice("0123456789tTzZ:-+. ")))
            text = text[:place] + instead + text[place + 1 :]
        texts.append(text)
    return list(dict.fromkeys(texts))


def test_clickhouse_reads_what_the_fold_reads(django_db_setup: None) -> None:
    texts = [*ODD_DATES, *variations(1, 20_000)]
    expected = {text: folded(text) for text in texts}
    assert sum(value is not None for value in expected.values()) > 1_000
    found = read(texts)
    assert {text: value for text, value in found.items() if value != expected[text]} == {}


@pytest.mark.shared_data
def test_clickhouse_reads_every_datetime_that_the_site_reads(django_db_setup: None, shared_data: Path) -> None:
    """The site's own parser is the lexicon's: what it takes is the same here, but for years that no column holds."""
    texts = [
        text for kind in ("syntax_valid", "parse_invalid") for text in read_vectors(shared_data, f"datetime_{kind}")
    ]
    texts += [*ODD_DATES, *variations(2, 20_000)]
    found, taken = read(texts), 0
    for text in texts:
        try:
            millis = micros_of_datetime(text) // 1000
        except InvalidSyntax:
            continue
        taken += 1
        assert found[text] == (millis if FIRST <= millis <= LAST and not text.startswith("0000") else None), text
    assert taken > 300
