"""The form of an API key: `atsk_<id>_<secret>`. Pure.

The id finds the key and may be shown; the secret is 256 random bits, of which only the SHA-256 is stored (a slow hash
protects what people choose, not this). Scanners of leaked secrets recognise the prefix.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

PREFIX: Final = "atsk_"
ID_LENGTH: Final = 12
SECRET_BYTES: Final = 32
#: Ids have no vowels and no look-alikes, so they form no words and are easy to read out. 12 of 28 characters: 57 bits.
ID_ALPHABET: Final = "23456789bcdfghjkmnpqrstvwxyz"
#: urlsafe base64 of 32 bytes without padding; it may contain `_`, the id may not.
_FORM: Final = re.compile(rf"{PREFIX}([{ID_ALPHABET}]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as its holder has it. Never logged: its repr shows the id alone."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The full key, which is shown only once."""
        return f"{PREFIX}{self.id}_{self.secret}"

    @property
    def hash(self) -> str:
        """The stored hash, 64 hex digits."""
        return sha256(self.secret.encode()).hexdigest()


def mint(id: str = "") -> Key:
    """A new key; `id`: one that `mint_id` made before."""
    return Key(id or mint_id(), secrets.token_urlsafe(SECRET_BYTES))


def mint_id() -> str:
    """A new id of a key."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    return len(text) == ID_LENGTH and set(text) <= set(ID_ALPHABET)


def rotated(id: str) -> Key:
    """A key with the id of an old key and a new secret."""
    return Key(id, secrets.token_urlsafe(SECRET_BYTES))


def parse(text: str) -> Key | None:
    """The key in `text`; None if it does not have the form of a key."""
    match = _FORM.fullmatch(text)
    return Key(match[1], match[2]) if match else None


def matches(key: Key, stored_hash: str) -> bool:
    """Whether the hash of `key` is `stored_hash`, compared in constant time."""
    return hmac.compare_digest(key.hash, stored_hash)
