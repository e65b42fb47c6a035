"""Keyed hashes that stand for people: without the key you cannot find out whom one names."""

from __future__ import annotations

from hashlib import blake2b


def pseudonym_of(text: str, *, purpose: str, secret_key: str) -> bytes:
    """16 bytes, the same for the same text, purpose and key. `purpose`: at most 16 ASCII characters.

    Hashes for different purposes cannot be compared.
    """
    key = blake2b(secret_key.encode(), digest_size=32, person=purpose.encode("ascii")).digest()
    return blake2b(text.encode(), digest_size=16, key=key).digest()
