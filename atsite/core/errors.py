"""The root of every error this project raises on purpose. Pure.

AtsiteError
├── ConfigError            the environment says something unusable
├── InvalidSyntax          text is not a valid did, handle, tid, at-uri, …
├── Undecidable            a decision cannot be read now (atsite.core.copies.errors); access is then refused
├── ChangedMeanwhile       a row was changed by someone else since it was read (atsite.core.copies.errors)
├── InvalidRepo            a file is not a complete, signed repo of an account (atsite.core.repo.errors)
├── StoreError             an embedded store cannot start or run
├── ReadOnlyModel          someone tried to write ClickHouse through the ORM (atsite.core.clickhouse.models)
├── LeaseHeld              another process of this kind runs on this site (atsite.core.kv.lease)
└── ClickHouseError        ClickHouse refused or could not be reached (atsite.core.clickhouse.errors)
    ├── Refused            ClickHouse refused it: a bug or setting of ours
    │   ├── BadContent     a value cannot be stored or read as its column's type
    │   └── SchemaMismatch a table or column is missing: unapplied migrations
    ├── QueryTimedOut      longer than its limit
    └── TooManyQueries, MemoryLimit, TooManyParts, Unreachable   may succeed later (`retryable`)
"""

from __future__ import annotations

from typing import Final

#: The exit code for an error that a restart cannot fix (EX_CONFIG of sysexits.h); `up` then pauses longest.
EXIT_NEEDS_YOU: Final = 78


class AtsiteError(Exception):
    """An error whose message is written for the operator or caller."""


class ConfigError(AtsiteError):
    """A setting of the environment is missing or unusable; the message names it and says what is expected."""


class InvalidSyntax(AtsiteError):
    """Text from outside does not have the required syntax."""


class StoreError(AtsiteError):
    """An embedded ClickHouse or Valkey cannot be started or kept running."""
