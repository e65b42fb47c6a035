"""A pasted list, line by line, and the plan that comes of it."""

from __future__ import annotations

import pytest

from labels.bulk_plan import MAX_LINES, Line, Status, TooMany, parse_lines, set_statuses

A, B, C = (f"did:plc:{name * 24}" for name in "abc")


def read(text: str) -> list[tuple[int, str, str]]:
    """Number, identifier and status of each line."""
    return [(line.number, line.identifier, str(line.status)) for line in parse_lines(text)]


def test_a_list_has_one_actor_a_line() -> None:
    pasted = f"\ufeff# people\n\nalice.test\n  @Bob.test  \r\nhttps://bsky.app/profile/{A}\nno actor\n"
    assert read(pasted) == [
        (3, "alice.test", "pending"),
        (4, "bob.test", "pending"),
        (5, A, "pending"),
        (6, "", "invalid"),
    ]


def test_an_invalid_line_says_why() -> None:
    (line,) = parse_lines("no actor")
    assert (line.text, line.reason.partition(",")[0]) == ("no actor", "“no actor” is not a handle")


@pytest.mark.parametrize(
    "pasted",
    [
        f"did,name\n{A},Alice\n{B},bob.test",
        f"Name;DID\nAlice;{A}\nbob.test;{B}",
        f"name\tdid\tnote\n\t{A}\thello, there\n\t{B}\t",
        f"Alice,{A}\nB.,{B}",
        f'"{A}","a ""quoted"" note"\n"{B}",""',
    ],
    ids=["did first", "header in another case", "tabs and empty cells", "no header", "quoted"],
)
def test_a_csv_says_where_its_actors_are_or_the_first_actor_of_a_row_counts(pasted: str) -> None:
    assert [line.identifier for line in parse_lines(pasted)] == [A, B]


def test_a_did_is_trusted_before_a_handle() -> None:
    assert [line.identifier for line in parse_lines(f"handle,did\nalice.test,{A}")] == [A]


def test_more_lines_than_one_change_may_have_are_refused() -> None:
    assert len(parse_lines("a.test\n" * MAX_LINES)) == MAX_LINES
    with pytest.raises(TooMany, match="5,001 lines, and at most 5,000 are allowed"):
        parse_lines("a.test\n" * (MAX_LINES + 1))


def test_a_very_long_line_is_one_invalid_line() -> None:
    (line,) = parse_lines("x" * 1_000_000)
    assert (line.status, len(line.text)) == (Status.INVALID, 81)


FOUND = [
    Line(1, "a", identifier=A, did=A),
    Line(2, "b.test", identifier="b.test", did=B, handle="b.test"),
    Line(3, "a again", identifier=A, did=A),
    Line(4, "gone.test", Status.UNRESOLVABLE, "gone.test", reason="Nobody"),
    Line(5, "?", Status.INVALID),
    Line(6, "c", identifier=C, did=C),
]


@pytest.mark.parametrize(
    ("giving", "members_now", "new", "already"),
    [(True, {B}, [1, 6], [2]), (False, {B, C}, [2, 6], [1]), (True, set(), [1, 2, 6], [])],
)
def test_the_plan_says_what_becomes_of_each_line(
    giving: bool, members_now: set[str], new: list[int], already: list[int]
) -> None:
    done = set_statuses(FOUND, members_now, giving=giving)
    assert [line.number for line in done if line.status is Status.NEW] == new
    assert [line.number for line in done if line.status is Status.ALREADY] == already
    assert [(line.status, line.reason) for line in done[2:5]] == [
        (Status.DUPLICATE, "the same actor as in line 1"),
        (Status.UNRESOLVABLE, "Nobody"),
        (Status.INVALID, ""),
    ]
    assert len(done) == len(FOUND)


def test_lines_are_kept_as_json_and_come_back_the_same() -> None:
    lines = [*FOUND, Line(7, "x", changed=False), Line(8, "x", changed=True, passing=True)]
    assert [Line.restored(line.stored()) for line in lines] == lines
