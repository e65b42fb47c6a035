"""CIDs as bytes and as text.

https://atproto.com/specs/data-model#link-and-cid-formats: version 1, DAG-CBOR (records, nodes, commits) or raw (blobs),
and a SHA-256. In bytes such a CID has 36, in text 59 characters: 'b' and base32 in lower case.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import libipld

from atsite.core.atproto.syntax import Cid, invalid

CID_BYTES: Final = 36
CID_CHARACTERS: Final = 59
#: Version 1, codec, SHA-256 (0x12) of 32 bytes (0x20); each is a varint of one byte.
DAG_CBOR: Final = b"\x01\x71\x12\x20"
RAW: Final = b"\x01\x55\x12\x20"


def is_binary_cid(data: bytes) -> bool:
    """Whether `data` is a CID of the only form that the protocol has."""
    return len(data) == CID_BYTES and data.startswith((DAG_CBOR, RAW))


def cid_of(content: bytes, prefix: bytes = DAG_CBOR) -> bytes:
    """The CID of a block's content, as bytes."""
    return prefix + sha256(content).digest()


def format_cid(data: bytes) -> Cid:
    """The text of a CID. Raises InvalidSyntax."""
    if not is_binary_cid(data):
        raise invalid("CID of the protocol", data[:CID_BYTES].hex())
    return Cid(libipld.encode_cid(data))


def parse_cid(text: str) -> bytes:
    """The bytes of a CID's text. Raises InvalidSyntax."""
    if len(text) == CID_CHARACTERS and text.startswith("b"):
        try:
            data = libipld.decode_multibase(text)[1]
        except ValueError as error:
            raise invalid("CID of the protocol", text) from error
        if is_binary_cid(data) and libipld.encode_cid(data) == text:  # libipld also reads upper case
            return data
    raise invalid("CID of the protocol", text)
