from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from pathlib import Path

#: What this test session said of its own site is not for the one under test.
INHERITED = ("PATH", "HOME", "LANG", "PYTHONPATH", "SYSTEMROOT")


def up(data_dir: Path, *options: str, command: str = "up", **variables: str) -> tuple[int, str]:
    """Run `manage.py up` where it must fail at once; its exit code and what it said."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", command, *options],
        cwd=BASE_DIR,
        env={**environment, "DATA_DIR": str(data_dir), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_outside_production_no_other_machine_can_reach_the_site(tmp_path: Path, host: str) -> None:
    code, said = up(tmp_path / "data", LISTEN_HOST=host)
    assert code == 1
    assert said.startswith(f"CommandError: LISTEN_HOST={host} lets other machines reach this site, and ATSITE_ENV")
    assert "--listen-publicly" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data" / "clickhouse").exists()


def test_on_a_trusted_network_a_flag_allows_it(tmp_path: Path) -> None:
    """Not loopback: with the flag, the start goes on to the next thing that is wrong."""
    (tmp_path / "purpose").write_text("demo")
    code, said = up(tmp_path, "--listen-publicly", "--free-ports", LISTEN_HOST="0.0.0.0")
    assert (code, "holds the data of `demo`" in said) == (1, True), said
