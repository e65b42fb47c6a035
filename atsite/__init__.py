"""A site over the AT Protocol: its settings, its services, and what the apps share."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
