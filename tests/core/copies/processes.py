"""Other processes of the site, with the session's stores."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping

PREPARE: Final = "import django; django.setup()\n"
SECONDS: Final = 60


def start(script: str, **environment: str) -> subprocess.Popen[str]:
    """A process that runs `script` after Django's setup; talk to it by lines."""
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE + script],
        cwd=BASE_DIR,
        env=_environment(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(script: str, **environment: str) -> tuple[int, str]:
    """The exit code (negative: by that signal) and the output of such a process."""
    process = start(script, **environment)
    output, _ = process.communicate(timeout=SECONDS)
    return process.returncode, output


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "atsite.settings", **more}
