"""The root of every error this project raises on purpose.

AtsiteError
├── ConfigError            the environment says something unusable
├── InvalidSyntax          text is not a valid did, handle, tid, at-uri, …
├── StoreError             an embedded store cannot start or run
└── ClickHouseError        ClickHouse refused or could not be reached (atsite.clickhouse.errors)
"""

from __future__ import annotations


class AtsiteError(Exception):
    """An error with a sentence for the person who reads it."""


class ConfigError(AtsiteError):
    """A setting of the environment is missing or unusable; the message names it and says what would do."""


class InvalidSyntax(AtsiteError):
    """Text from outside is not what its place demands."""


class StoreError(AtsiteError):
    """An embedded ClickHouse or Valkey cannot be started or kept running."""
