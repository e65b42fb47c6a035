"""Members as CSV, and cells that would be formulas."""

from __future__ import annotations

import csv

import pytest

from labels import membership
from labels.admin.export import HEADER, rows_as_csv, safe
from labels.models import ActorLabel
from tests import builders as b
from tests.labels.people import MIRA, NOEL


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_a_formula_begins_with_an_apostrophe(begin: str) -> None:
    assert safe(f"{begin}1+1") == f"'{begin}1+1"


def test_other_cells_stay_as_they_are() -> None:
    assert [safe(cell) for cell in ("", "a=1", "did:plc:x", "'=1", " =1")] == ["", "a=1", "did:plc:x", "'=1", " =1"]


def test_members_are_written_with_the_names_that_are_known(label: str) -> None:
    b.store(
        b.identity(MIRA.did, MIRA.handle, at=b.ago(days=1)), b.profile(MIRA.did, at=b.ago(days=1), name="=cmd|' /C'")
    )
    membership.assign(label, MIRA.did, by="anna", note='+1, "friend"\nof Noel')
    membership.assign(label, NOEL.did, by="ben")
    rows = ActorLabel.objects.order_by("did")
    text = "".join(rows_as_csv(rows))
    mira, noel = rows
    assert list(csv.reader(text.splitlines(keepends=True))) == [
        list(HEADER),
        [label, MIRA.did, MIRA.handle, "'=cmd|' /C'", '\'+1, "friend"\nof Noel', "anna", mira.created_at.isoformat()],
        [label, NOEL.did, "", "", "", "ben", noel.created_at.isoformat()],
    ]
