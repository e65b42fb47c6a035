"""Whose a data folder is: what another program keeps is neither taken over nor locked away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from atsite.core.config import config
from atsite.data_folder import is_own
from atsite.management import up_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("names", "own"),
    [
        ([], True),
        (["lost+found"], True),
        (["purpose", "a.txt"], True),
        (["atsite.sqlite3"], True),
        (["a.txt"], False),
        (["lost+found", ".profile"], False),
    ],
)
def test_a_folder_is_own_if_it_is_new_or_has_data_of_this_project(tmp_path: Path, names: list[str], own: bool) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert is_own(tmp_path) is own
    assert is_own(tmp_path / "missing")


def test_a_path_that_cannot_be_a_folder_has_no_files_of_others(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [is_own(tmp_path / name) for name in ("file", "file/below")] == [True, True]


def test_up_leaves_a_folder_of_others_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letter.txt").write_text("Dear …")
    tmp_path.chmod(0o755)
    monkeypatch.setattr(up_command, "config", replace(config, data_dir=tmp_path))
    with pytest.raises(CommandError, match=r"has other files and no data of this project\. Set DATA_DIR to a new"):
        call_command("up", "--free-ports")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755
