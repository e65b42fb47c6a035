from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.management.base import CommandError

from atsite.core.embedded import EmbeddedValkey
from atsite.management.commands.reset import clear

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
