from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.aturi import is_at_uri
from atsite.core.atproto.syntax import is_at_identifier, is_cid, is_did, is_handle, is_nsid, is_rkey
from atsite.core.atproto.tid import is_tid
from atsite.core.atproto.timestamps import is_datetime, micros_of_datetime
from atsite.core.errors import InvalidSyntax
from tests.core.atproto.vectors import read_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.shared_data

CHECKS: dict[str, Callable[[str], bool]] = {
    "atidentifier": is_at_identifier,
    "aturi": is_at_uri,
    "cid": is_cid,
    "datetime": is_datetime,
    "did": is_did,
    "handle": is_handle,
    "nsid": is_nsid,
    "recordkey": is_rkey,
    "tid": is_tid,
}


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_every_valid_vector_is_accepted(kind: str, shared_data: Path) -> None:
    refused = [text for text in read_vectors(shared_data, f"{kind}_syntax_valid") if not CHECKS[kind](text)]
    assert refused == []


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_every_invalid_vector_is_refused(kind: str, shared_data: Path) -> None:
    accepted = [text for text in read_vectors(shared_data, f"{kind}_syntax_invalid") if CHECKS[kind](text)]
    assert accepted == []


def test_every_valid_datetime_is_a_moment(shared_data: Path) -> None:
    micros = [micros_of_datetime(text) for text in read_vectors(shared_data, "datetime_syntax_valid")]
    assert min(micros) == -62_167_219_200_000_000  # 0000-01-01T00:00:00Z
    assert max(micros) == 32_566_748_400_000_000  # 3001-12-31T23:00:00Z


def test_datetimes_that_no_calendar_has_are_refused(shared_data: Path) -> None:
    for text in read_vectors(shared_data, "datetime_parse_invalid"):
        with pytest.raises(InvalidSyntax, match="not a valid datetime"):
            micros_of_datetime(text)
