"""What `up` and `demo` do around the site that they run: before it, after it, and when it fails."""

from __future__ import annotations

import dataclasses
import os
import stat
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError

from atsite.core.config import config
from atsite.core.embedded.errors import StoreFailed
from atsite.management import up_command
from atsite.management.commands.up import Command
from atsite.supervision.children import Ports
from atsite.supervision.run import Stopped, Until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from atsite.supervision.children import Site

OPTIONS: dict[str, Any] = {
    "free_ports": False, "once": False, "run_for": None, "from_cursor": None, "from_live": False,
    "listen_publicly": False,
}  # fmt: skip


class Runs:
    """The site that would run: what it was given, and the error by which it ends."""

    error: BaseException | None
    calls: list[tuple[Any, ...]]
    logs: list[Path]

    @classmethod
    def run(cls, site: Site, of: object, terminal: Any, **options: Any) -> None:
        after = options.pop("after")
        cls.calls.append((site, options, after()))
        if cls.error is not None:
            raise cls.error


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new data folder, for a site that does not run."""
    folder = tmp_path / "data"
    its = dataclasses.replace(
        config, data_dir=folder, environment="development", listen_host="127.0.0.2", port_offset=100
    )
    monkeypatch.setattr(up_command, "config", its)
    monkeypatch.setattr("atsite.management.commands.up.config", its)
    Runs.error, Runs.calls, Runs.logs = None, [], []
    monkeypatch.setattr(up_command, "run", Runs.run)
    monkeypatch.setattr(up_command, "keep_off_the_terminal", lambda path: Runs.logs.append(path))
    monkeypatch.setattr(Command, "prepare", lambda self, site: f"prepared {site.purpose}")
    umask = os.umask(0o022)
    yield folder
    os.umask(umask)


def up(**options: object) -> str:
    """Runs it; what it said."""
    out = StringIO()
    Command(stdout=out).handle(**(OPTIONS | options))
    return out.getvalue()


def test_the_site_is_run_with_what_was_asked_for(folder: Path) -> None:
    said = up(run_for=2.5, from_cursor=7)
    ((site, options, prepared),) = Runs.calls
    ports = Ports().moved_by(100)
    assert options == {"usual_ports": True, "until": Until(2.5, first_page=False)}
    assert (site.purpose, site.data_dir, site.host, site.ports) == ("up", folder, "127.0.0.2", ports)
    assert (site.simulated, site.simulation, site.begin, site.afterwards) == (False, (), ("--from", "7"), ())
    assert site.environment["DATA_DIR"] == str(folder)
    assert prepared == "prepared up"
    assert Runs.logs == [folder / "log" / "up.log"]
    assert said.endswith(f"stopped; the data is kept in {folder}\n")


def test_free_ports_are_all_different_and_not_the_usual_ones(folder: Path) -> None:
    up(free_ports=True, once=True, from_live=True)
    ((site, options, _),) = Runs.calls
    assert options == {"usual_ports": False, "until": Until(None, first_page=True)}
    chosen = dataclasses.astuple(site.ports)
    assert len({*chosen, *dataclasses.astuple(Ports())}) == 2 * len(chosen)
    assert site.begin == ("--from-live",)


def test_only_its_user_can_read_what_is_there_and_what_comes(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "secret_key").touch(0o644)
    (folder / "program").touch(0o755)
    up()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.glob("[ps]*"))}
    assert modes == {"data": 0o700, "secret_key": 0o600, "program": 0o700}
    assert os.umask(0o022) == 0o077


def test_a_folder_with_other_files_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "letter.txt").touch()
    with pytest.raises(CommandError, match="has other files and no data of this project") as caught:
        up()
    assert "Set DATA_DIR to a new folder, or empty it." in str(caught.value)
    assert Runs.calls == []


def test_a_stop_is_no_error(folder: Path) -> None:
    Runs.error = Stopped()
    assert up().endswith(f"stopped; the data is kept in {folder}\n")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StoreFailed("the store fails"), "the store fails"),
        (
            ValueError("one\ntwo"),
            "stopped by an error: ValueError: one. The traceback is in FOLDER/log/up.log",
        ),
    ],
)
def test_what_ended_it_is_a_sentence(folder: Path, error: Exception, sentence: str) -> None:
    Runs.error = error
    with pytest.raises(CommandError) as caught:
        up()
    assert str(caught.value) == sentence.replace("FOLDER", str(folder))
