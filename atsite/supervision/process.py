"""One process of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.embedded import files
from atsite.core.embedded.child import Child, OneChild

if TYPE_CHECKING:
    from pathlib import Path

    from atsite.supervision.children import ProcessSpec


class Process(OneChild):
    """A process as `spec` describes it, with its output in the file `log`. It ends with this one, however that ends."""

    def __init__(self, spec: ProcessSpec, log: Path) -> None:
        self.spec = spec
        self.log = log

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.spec.name

    def restart(self) -> None:
        """Start it, for the first time or after it ended."""
        files.make_private_directory(self.log.parent)
        self._child = Child.spawn(list(self.spec.command), output=self.log, environment=self.spec.environment)
