"""A command that runs once when the whole site runs, such as the one that adds a community to the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.embedded.child import Child as Tethered
from atsite.core.embedded.logs import start_anew
from atsite.supervision.children import MANAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from atsite.supervision.children import Site

#: The site runs meanwhile; the command takes ten seconds on two cores.
SECONDS: Final = 120.0


def run_afterwards(site: Site, ticks: Iterable[object]) -> str:
    """Run `site.afterwards` until it ends or `ticks` do. Returns what it said, or where its log is if it failed."""
    name = site.afterwards[0]
    log = site.logs / f"{name}.log"
    start_anew(log)
    environment = {**site.environment, "ATSITE_SERVICE": "manage", "METRICS_PORT": "0"}
    child = Tethered.spawn([*MANAGE, *site.afterwards], output=log, environment=environment)
    try:
        for _ in ticks:
            if child.process.poll() is not None:
                break
        ended = child.process.poll() == 0
    finally:
        child.kill()
    if not ended:
        return f"  {name} did not finish; the next start tries again. See {log}"
    return log.read_text(encoding="utf-8")
