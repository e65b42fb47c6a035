"""Values that the demo's site and its simulated network share."""

from __future__ import annotations

from typing import Final

LOOPBACK: Final = "127.0.0.1"
#: The publisher of the demo's feeds, an account that does not exist.
PUBLISHER: Final = "did:plc:demodemodemodemodemodemo"
#: The folder below DATA_DIR that keeps the network's parameters.
FOLDER: Final = "simulator"
