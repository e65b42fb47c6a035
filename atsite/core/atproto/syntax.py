"""The syntax and the types of dids, handles, NSIDs, record keys and CIDs.

Rules from https://atproto.com/specs/{did,handle,nsid,record-key}, checked by the interoperability vectors.
`is_x(text)` checks; `parse_x` returns the typed text or raises InvalidSyntax. Only the host of a did:web is normalised
(`one_spelling`).
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

# Top-level names that never resolve on the public network (https://atproto.com/specs/handle).
RESERVED = frozenset({"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"})

# How many characters of an invalid value a message repeats: it is untrusted and may have a megabyte.
SHOWN_VALUE_MAX = 80

_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")
_WEB = "did:web:"
_DID_PLC = re.compile(r"did:plc:[a-z2-7]{24}")
# The only did:web with a port, for servers on one machine.
_LOCALHOST = re.compile(r"localhost%3[Aa][0-9]{1,5}")
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
    return InvalidSyntax(f"not a valid {what}: {_shown(value)!r}")


def _shown(value: str) -> str:
    return value if len(value) <= SHOWN_VALUE_MAX else value[:SHOWN_VALUE_MAX] + "…"


def is_did(text: str) -> TypeGuard[Did]:
    """Whether `text` is a did of any method; no method's own rules are applied."""
    return len(text) <= DID_MAX and _DID.fullmatch(text) is not None


def is_plc_did(text: str) -> TypeGuard[Did]:
    """Whether `text` is a did:plc with its 24 base32 characters."""
    return _DID_PLC.fullmatch(text) is not None


def is_account_did(text: str, *, loopback: bool = False) -> TypeGuard[Did]:
    """Whether an account can have this did (https://atproto.com/specs/did): see `parse_account_did`."""
    return not _no_account(text, loopback=loopback)


def is_handle(text: str) -> TypeGuard[Handle]:
    """Whether `text` is a handle; on this level reserved names are valid, see `is_reserved`."""
    return len(text) <= HANDLE_MAX and _HANDLE.fullmatch(text) is not None


def is_reserved(host: str) -> bool:
    """Whether no host of the public network can have this name (.local, .arpa, …)."""
    return host.rpartition(".")[2].lower() in RESERVED


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


def parse_account_did(text: str, *, loopback: bool = False) -> Did:
    """`text` as a did that an account can have, in its one spelling; raises InvalidSyntax, which says what is wrong.

    For what people and programs enter: a did:plc has 24 characters, and a did:web of an account names a public host
    alone; with `loopback`, also a reserved name, and localhost with a port, as servers on this machine have them. For
    what the stream says, `is_did`.
    """
    if problem := _no_account(text, loopback=loopback):
        raise InvalidSyntax(problem)
    return one_spelling(Did(text))


def one_spelling(did: Did) -> Did:
    """The did with the host of a did:web in lower case, because host names are the same in either case."""
    return Did(did.lower()) if is_handle(did.removeprefix(_WEB)) else did


def _no_account(text: str, *, loopback: bool) -> str:
    """Why no account has this did; "" where one can have it."""
    if is_plc_did(text) or _is_web_did(text, loopback=loopback):
        return ""
    if not is_did(text):
        return str(invalid("did", text))
    if text.startswith("did:plc:"):
        return f"{_shown(text)} is not a whole did: 24 characters, a to z and 2 to 7, follow did:plc:"
    if is_handle(text.removeprefix(_WEB)):
        return f"{_shown(text)} is no account's did: names that end in .{text.rpartition('.')[2].lower()} are reserved"
    if text.startswith(_WEB):
        return f"{_shown(text)} is no account's did: a host name alone follows did:web:, without port or path"
    return f"{_shown(text)} is no account's did: these begin with did:plc: or did:web:"


def _is_web_did(text: str, *, loopback: bool) -> bool:
    host = text.removeprefix(_WEB)
    if host == text or not is_did(text):
        return False
    if is_handle(host):
        return loopback or not is_reserved(host)
    return loopback and _LOCALHOST.fullmatch(host) is not None


def parse_rkey(text: str) -> Rkey:
    """`text` as a record key; raises InvalidSyntax."""
    if is_rkey(text):
        return text
    raise invalid("record key", text)
