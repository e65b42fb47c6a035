"""Values that the demo's site and its simulated network share."""

from __future__ import annotations

from typing import Final

LOOPBACK: Final = "127.0.0.1"
#: The publisher of the demo's feeds, an account that exists only in the simulated network.
PUBLISHER: Final = "did:plc:demodemodemodemodemodemo"
PUBLISHER_HANDLE: Final = "feeds.demo.test"
#: The folder below DATA_DIR that keeps the network's parameters.
FOLDER: Final = "simulator"
#: An account with a repo of its own, whose owner tries clean-ups; it exists only in the simulated network.
OWNER: Final = "did:plc:olivedemodemodemodemodem"
OWNER_HANDLE: Final = "olive.demo.test"
#: Known to everyone who reads the README: it opens nothing but the simulated account.
OWNER_APP_PASSWORD: Final = "demo-demo-demo-demo"  # noqa: S105
