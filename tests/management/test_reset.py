from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.management.base import CommandError

from atsite.core.config import BASE_DIR
from atsite.core.embedded import EmbeddedValkey
from atsite.management.commands.reset import clear, data_of

if TYPE_CHECKING:
    from pathlib import Path


def test_reset_deletes_nothing_while_a_store_runs_on_the_data(tmp_path: Path) -> None:
    root = tmp_path / ".data"
    with EmbeddedValkey(root / "demo" / "valkey"):
        with pytest.raises(CommandError, match="is in use"):
            clear(root)
        assert (root / "demo" / "valkey" / "etc" / "password").is_file()
    clear(root)
    assert not root.exists()
    clear(root)


def test_reset_deletes_the_folder_that_data_dir_names_and_no_other(tmp_path: Path) -> None:
    site, other = tmp_path / "site", tmp_path / "other"
    with EmbeddedValkey(site / "valkey"), pytest.raises(CommandError, match="is in use"):
        clear(data_of(site))
    assert data_of(site) == site
    clear(data_of(site))
    assert not site.exists()
    other.mkdir()
    (other / "letter.txt").write_text("Dear …")
    with pytest.raises(CommandError, match="no data of this project: nothing was deleted"):
        data_of(other)
    assert data_of(BASE_DIR / ".data" / "demo") == data_of(BASE_DIR / ".data" / "site") == BASE_DIR / ".data"
