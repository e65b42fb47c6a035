"""The configuration of the tools of the search service: addresses, exports of repos, lists (docs/operating.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.config.plain_values import choice, integer

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ToolsConfig:
    """Who may use the tools, and how much they may take. What is counted at once is counted by each process."""

    #: Whether callers without an API key are answered.
    anonymous: bool
    #: The most calls a minute from one address without a key.
    anonymous_per_minute: int
    #: The largest repo that is exported (bytes of its CAR file).
    repo_max_bytes: int
    #: Seconds that a PDS has to send a repo.
    repo_seconds: int
    #: Exports at once, and as many reads of lists.
    at_once: int


def tools_config(env: Mapping[str, str]) -> ToolsConfig:
    """Read the settings. Raises ConfigError."""
    return ToolsConfig(
        anonymous=choice(env, "TOOLS_ANONYMOUS", "0", ("0", "1")) == "1",
        anonymous_per_minute=integer(env, "TOOLS_PER_MINUTE", 20, low=1, high=1_000_000),
        repo_max_bytes=integer(env, "TOOLS_REPO_MAX_BYTES", 250_000_000, low=1_000, high=1 << 36),
        repo_seconds=integer(env, "TOOLS_REPO_SECONDS", 120, low=1, high=3_600),
        at_once=integer(env, "TOOLS_AT_ONCE", 4, low=1, high=64),
    )
