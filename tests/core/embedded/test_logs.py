"""What is kept of a child's output, and what of it is quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.embedded import files
from atsite.core.embedded.logs import last_lines, shorten

if TYPE_CHECKING:
    from pathlib import Path

CRASH = """\
2026-01-01 connected
Traceback (most recent call last):
  File "/x/manage.py", line 1, in <module>
    main()
    ~~~~^^
  File "/x/library.py", line 2, in main

    raise KeyError("did")
KeyError: 'did'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/x/manage.py", line 3, in <module>
library.Lost: the stream is gone
2026-01-01 ended
"""


def test_a_log_that_grew_too_long_is_cut_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 100)
        shorten(log, limit=100)
        assert log.read_bytes() == b"a" * 100
        writer.write(b"b")
        shorten(log, limit=100)
        writer.write(b"c")
    assert (log.read_bytes(), (tmp_path / "x.log.1").read_bytes()) == (b"c", b"a" * 100 + b"b")


def test_of_a_traceback_only_the_error_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text(CRASH)
    assert [line.removeprefix("    | ") for line in last_lines(log).splitlines() if line.strip(" |")] == [
        "2026-01-01 connected",
        "KeyError: 'did'",
        "library.Lost: the stream is gone",
        "2026-01-01 ended",
    ]


def test_the_quote_is_of_the_last_lines_of_this_run(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("before\none\ntwo\n  indented\n")
    assert last_lines(log, start=len("before\n")) == "    | one\n    | two\n    |   indented"
    assert last_lines(log, count=2) == "    | two\n    |   indented"


def test_a_log_that_was_cut_is_quoted_from_its_new_beginning(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("after the cut\n")
    assert last_lines(log, start=1_000) == "    | after the cut"
    assert last_lines(tmp_path / "missing.log") == "    | (nothing)"


def test_a_store_that_said_much_is_quoted_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before" + "x" * 3_000 + " the end\n")
    assert files.tail(log, start=6) == "x" * 1_992 + " the end"
    assert (files.tail(log, start=3_005, limit=6), files.tail(tmp_path / "none", start=0)) == ("he end", "")
