"""CIDs that look like the network's: CIDv1, sha2-256, base32, 59 characters.

They are made from a hash of the record's JSON, not from its DAG-CBOR: equal records have equal cids, any decoder reads
them, and none verifies. Bytes are mapped to base32 characters one by one, because encoding 256 bits would cost ten
times more than the rest of an event.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

_ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz234567"
TO_BASE32: Final = _ALPHABET * 8
# The first character shares its bits with the prefix (its two highest are 0), the last one with the padding.
_FIRST: Final = "abcdefgh"
_LAST: Final = "aeimquy4"
_DAG_CBOR: Final = "bafyrei"
_RAW: Final = "bafkrei"
_LENGTH: Final = 59 - len(_DAG_CBOR)


def _cid(prefix: str, data: bytes) -> str:
    digest = blake2b(data, digest_size=_LENGTH).digest()
    middle = digest[1:-1].translate(TO_BASE32).decode()
    return prefix + _FIRST[digest[0] & 7] + middle + _LAST[digest[-1] & 7]


def record_cid(record: str) -> str:
    """The cid of a record (bafyrei…)."""
    return _cid(_DAG_CBOR, record.encode())


def blob_cid(name: str) -> str:
    """The cid of a blob (bafkrei…) that does not exist."""
    return _cid(_RAW, name.encode())
