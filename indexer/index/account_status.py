"""Whether an actor's records are shown: the last account event and the floor of each did. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """Decides whether an actor's posts are shown; `floor` is a version."""

    did: str
    active: bool
    floor: int

    def shows(self, version: int) -> bool:
        """Whether a row of this version may be shown: rows below the floor are dead."""
        return self.active and version >= self.floor


#: An actor without account events counts as active.
UNKNOWN: Final = AccountStatus("", True, 0)
