"""at-uris: at://AUTHORITY[/COLLECTION[/RKEY]], the restricted form that lexicons allow.

https://atproto.com/specs/at-uri-scheme
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from atsite.core.atproto.syntax import (
    Did,
    Nsid,
    Rkey,
    invalid,
    is_account_did,
    is_at_identifier,
    is_did,
    is_handle,
    is_nsid,
    is_rkey,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEME: Final = "at://"
AT_URI_MAX: Final = 8192


def is_at_uri(text: str) -> bool:
    """Whether `text` is an at-uri of a repo, of a collection or of a record, by did or by handle."""
    if len(text) > AT_URI_MAX or not text.startswith(SCHEME):
        return False
    parts = text[len(SCHEME) :].split("/")
    checks: tuple[Callable[[str], bool], ...] = (is_at_identifier, is_nsid, is_rkey)
    return len(parts) <= len(checks) and all(check(part) for check, part in zip(checks, parts, strict=False))


def is_account_uri(text: str, *, loopback: bool = False) -> bool:
    """As `is_at_uri`, of a handle or of a did that an account can have: for what people and programs enter."""
    authority = text.removeprefix(SCHEME).partition("/")[0]
    return is_at_uri(text) and (is_handle(authority) or is_account_did(authority, loopback=loopback))


@dataclass(frozen=True, slots=True, order=True)
class AtUri:
    """The at-uri of one record, by did: what this project stores, compares and serves.

    The fields are not checked: pass valid values, or use `parse`.
    """

    did: Did
    collection: Nsid
    rkey: Rkey

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `at://did/collection/rkey`; raises InvalidSyntax, also for a handle or a missing part."""
        if len(text) <= AT_URI_MAX and text.startswith(SCHEME):
            parts = text[len(SCHEME) :].split("/", 3)
            if len(parts) == 3:
                did, collection, rkey = parts
                if is_did(did) and is_nsid(collection) and is_rkey(rkey):
                    return cls(did, collection, rkey)
        raise invalid("at-uri of a record", text)

    def __str__(self) -> str:
        return f"{SCHEME}{self.did}/{self.collection}/{self.rkey}"
