"""Encryption of secrets and files at rest, with age (https://age-encryption.org/v1).

Keys come from the settings (CLEANUP_KEYS). The first encrypts and all decrypt: to rotate, put a new key first, let the
upkeep re-encrypt what the old one encrypted, and remove the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Self

import pyrage
from pyrage import x25519

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Sequence


class CannotDecrypt(AtsiteError):
    """None of the keys fits, or the content was changed or cut off."""


class Sealer:
    """Encrypts with the first of `keys` (age identities, checked by the settings) and decrypts with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._identities = [x25519.Identity.from_str(key) for key in keys]

    def __bool__(self) -> bool:
        """Whether there is a key."""
        return bool(self._identities)

    def newest(self) -> Self:
        """A Sealer that has the first key only: it fails for what needs to be encrypted again."""
        return type(self)([str(identity) for identity in self._identities[:1]])

    def seal(self, content: bytes) -> bytes:
        """`content`, encrypted; about 200 bytes longer."""
        sealed: bytes = pyrage.encrypt(content, [self._identities[0].to_public()])
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Raises CannotDecrypt."""
        try:
            content: bytes = pyrage.decrypt(sealed, self._identities)
        except pyrage.DecryptError as error:
            raise CannotDecrypt("no key fits, or the content was changed") from error
        return content

    def seal_stream(self, source: BinaryIO, target: BinaryIO) -> None:
        """Encrypt a stream in bounded memory. Raises OSError."""
        pyrage.encrypt_io(source, target, [self._identities[0].to_public()])

    def open_stream(self, source: BinaryIO, target: BinaryIO) -> None:
        """Decrypt a stream in bounded memory; raises CannotDecrypt, possibly after a part was written, and OSError."""
        try:
            pyrage.decrypt_io(source, target, self._identities)
        except pyrage.DecryptError as error:
            raise CannotDecrypt("no key fits") from error
        except OSError as error:
            if error.errno is not None:
                raise
            # age authenticates pieces of 64 KiB, and says so with an OSError of its own.
            raise CannotDecrypt("the content was changed or cut off") from error
