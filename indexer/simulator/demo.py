"""What the demo's site and the simulated network beside it agree on."""

from __future__ import annotations

from typing import Final

LOOPBACK: Final = "127.0.0.1"
#: An account that does not exist publishes the feeds of the demo.
PUBLISHER: Final = "did:plc:demodemodemodemodemodemo"
#: The folder below DATA_DIR that keeps the network's parameters.
FOLDER: Final = "simulator"
