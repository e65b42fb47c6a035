"""Tracebacks of libraries end in a file, never on the terminal of `up`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from pathlib import Path

NOISY = """
import logging, sys, threading, warnings
from pathlib import Path
import django
django.setup()
from atsite.supervision.own_log import keep_off_the_terminal
keep_off_the_terminal(Path(sys.argv[1]))

class Leaves:
    def __del__(self):
        raise KeyError("a destructor")

def fails():
    raise KeyError("a thread")

try:
    raise KeyError("a library")
except KeyError:
    logging.getLogger("kombu.connection").warning("lost", exc_info=True)
Leaves()
thread = threading.Thread(target=fails)
thread.start()
thread.join()
warnings.warn("a warning")
"""
#: What this test session said of its own stores is not for the site under test.
NOT_INHERITED = ("ATSITE_ENVIRONMENT", "CLICKHOUSE_", "REDIS_ADDRESS", "DATA_DIR", "METRICS_PORT", "DATABASE_URL")


def run(*command: str, **variables: str) -> tuple[int, str]:
    """Exit code and what reached the terminal."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(NOT_INHERITED)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_what_libraries_log_warn_of_and_raise_goes_to_the_file(tmp_path: Path) -> None:
    log = tmp_path / "log" / "up.log"
    settings = {"DJANGO_SETTINGS_MODULE": "atsite.settings", "DATA_DIR": str(tmp_path)}
    assert run("-c", NOISY, str(log), **settings) == (0, "")
    text = log.read_text()
    told = [word for word in ("a library", "a destructor", "a thread", "a warning") if word in text]
    assert told == ["a library", "a destructor", "a thread", "a warning"]
    assert text.count("Traceback") == 3
    assert log.stat().st_mode & 0o077 == 0


def test_a_relational_database_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    away = "postgresql://someone@127.0.0.1:1/none"
    code, said = run("manage.py", "up", "--free-ports", DATA_DIR=str(tmp_path), DATABASE_URL=away)
    assert (code, "Traceback" in said) == (1, False), said
    assert "CommandError: the relational database (DATABASE_URL) cannot be migrated: connection" in said


def test_an_unexpected_error_is_one_sentence_that_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    logs: list[Path] = []
    monkeypatch.setattr("atsite.management.up_command.keep_off_the_terminal", logs.append)
    monkeypatch.setattr("atsite.management.up_command.run", fails)
    with pytest.raises(CommandError) as failed:
        call_command("up", "--free-ports")
    assert str(failed.value) == f"stopped by an error: LookupError: no such thing. The traceback is in {logs[0]}"


def fails(*_: object, **__: object) -> None:
    raise LookupError("no such thing\nand 40 lines more")
