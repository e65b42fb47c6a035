"""The syntax and the types of dids, handles, NSIDs, record keys and CIDs.

Rules from https://atproto.com/specs/{did,handle,nsid,record-key}, checked by the interoperability vectors.
`is_x(text)` checks; `parse_did` and `parse_rkey` return the typed text or raise InvalidSyntax. Nothing is normalised.
"""

from __future__ import annotations

import re
from typing import NewType, TypeGuard

from atsite.core.errors import InvalidSyntax

Did = NewType("Did", str)
Handle = NewType("Handle", str)
Nsid = NewType("Nsid", str)
Rkey = NewType("Rkey", str)
Tid = NewType("Tid", str)
Cid = NewType("Cid", str)

# Longest forms the specifications allow, in characters (all of them are ASCII).
DID_MAX = 2048
HANDLE_MAX = 253
NSID_MAX = 317

# The network's placeholder for a handle that could not be verified; many accounts have it.
INVALID_HANDLE = Handle("handle.invalid")

# How many characters of an invalid value a message repeats: it is untrusted and may have a megabyte.
SHOWN_VALUE_MAX = 80

_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")
_DID_PLC = re.compile(r"did:plc:[a-z2-7]{24}")
_HANDLE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NSID = re.compile(
    r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
    r"\.[A-Za-z][A-Za-z0-9]{0,62}"
)
_RKEY = re.compile(r"[A-Za-z0-9_~.:-]{1,512}")
# Any multibase; whether the bytes decode is not a question of syntax. CIDv0 ("Qm…") is refused by the protocol.
_CID = re.compile(r"(?!Qmb)[A-Za-z0-9+=]{8,256}")


def invalid(what: str, value: str) -> InvalidSyntax:
    """The error with the expected syntax and the beginning of the value."""
    shown = value if len(value) <= SHOWN_VALUE_MAX else value[:SHOWN_VALUE_MAX] + "…"
    return InvalidSyntax(f"not a valid {what}: {shown!r}")


def is_did(text: str) -> TypeGuard[Did]:
    """Whether `text` is a did of any method; no method's own rules are applied."""
    return len(text) <= DID_MAX and _DID.fullmatch(text) is not None


def is_plc_did(text: str) -> TypeGuard[Did]:
    """Whether `text` is a did:plc with its 24 base32 characters."""
    return _DID_PLC.fullmatch(text) is not None


def is_handle(text: str) -> TypeGuard[Handle]:
    """Whether `text` is a handle; reserved domains (.local, .arpa, …) are valid on this level."""
    return len(text) <= HANDLE_MAX and _HANDLE.fullmatch(text) is not None


def is_at_identifier(text: str) -> bool:
    """Whether `text` is a did or a handle."""
    return is_did(text) or is_handle(text)


def is_nsid(text: str) -> TypeGuard[Nsid]:
    """Whether `text` names a lexicon, such as app.bsky.feed.post."""
    return len(text) <= NSID_MAX and _NSID.fullmatch(text) is not None


def is_rkey(text: str) -> TypeGuard[Rkey]:
    """Whether `text` is a record key of any kind."""
    return _RKEY.fullmatch(text) is not None and text not in (".", "..")


def is_cid(text: str) -> TypeGuard[Cid]:
    """Whether `text` looks like a CIDv1; the hash behind it is not decoded."""
    return _CID.fullmatch(text) is not None


def parse_did(text: str) -> Did:
    """`text` as a did; raises InvalidSyntax."""
    if is_did(text):
        return text
    raise invalid("did", text)


def parse_rkey(text: str) -> Rkey:
    """`text` as a record key; raises InvalidSyntax."""
    if is_rkey(text):
        return text
    raise invalid("record key", text)
