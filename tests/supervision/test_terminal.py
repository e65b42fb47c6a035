from __future__ import annotations

import io

from atsite.supervision.terminal import Terminal


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_replaces_itself_and_sentences_go_above_it() -> None:
    screen = Screen()
    terminal = Terminal(screen)
    terminal.progress("one")
    terminal.progress("two")
    terminal.say("something happened")
    terminal.end_progress()
    terminal.say("the end")
    clear = "\r\x1b[2K"
    assert screen.getvalue() == f"{clear}one{clear}two{clear}something happened\ntwo\nthe end\n"


def test_in_a_file_progress_is_a_plain_line_every_ten_seconds() -> None:
    times = iter([0.0, 0.0, 9.9, 10.0, 10.0])
    file = io.StringIO()
    terminal = Terminal(file, clock=lambda: next(times))
    for line in ("one", "two", "three"):
        terminal.progress(line)
    terminal.say("the end")
    assert file.getvalue() == "one\nthree\nthe end\n"
