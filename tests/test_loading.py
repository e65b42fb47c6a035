"""Loading looks for no garbage; afterwards it is collected, and what was loaded is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from atsite.core.config import BASE_DIR

LOADED = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
#: A management command that tells it, as any other would be run.
COMMAND = (
    f"import sys; sys.argv = ['manage.py', 'shell', '--no-imports', '-c', '{LOADED}']; import manage; manage.main()"
)
SERVICE = f"import atsite.asgi; {LOADED}"


@pytest.mark.parametrize("script", [COMMAND, SERVICE], ids=["command", "service"])
def test_garbage_is_collected_but_for_what_was_loaded(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env={**os.environ, "ATSITE_SERVICE": "feedgen"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "True True\n"
