"""`up --from` and `up --from-live`: where the indexer begins, saved before it starts.

A separate step instead of arguments of the child: the child is restarted whenever it ends, and would begin there each
time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from atsite.core.embedded.child import Child as Tethered
from atsite.core.embedded.logs import last_lines, start_anew
from atsite.supervision.children import MANAGE
from atsite.supervision.errors import UpFailed

if TYPE_CHECKING:
    from atsite.supervision.children import Site

#: A start takes two seconds, and eleven more when the lease of a killed indexer must first expire.
BEGIN_SECONDS: Final = 60.0


def save_start_checkpoint(site: Site) -> None:
    """Save the checkpoint that `site.begin` asks for; nothing where it asks for none. Raises UpFailed."""
    if not site.begin:
        return
    log = site.logs / "begin.log"
    start_anew(log)
    environment = {**site.environment, "ATSITE_SERVICE": "indexer", "METRICS_PORT": "0"}
    command = [*MANAGE, "run_indexer", *site.begin, "--max-events", "0"]
    indexer = Tethered.spawn(command, output=log, environment=environment)
    try:
        deadline = time.monotonic() + BEGIN_SECONDS
        while indexer.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if indexer.process.poll() != 0:
            raise UpFailed(f"the starting point could not be saved. The end of {log}:\n{last_lines(log)}")
    finally:
        indexer.kill()
