"""Public keys in did documents, and verification of their signatures.

https://atproto.com/specs/cryptography: two curves, named here by their JOSE algorithm. A Multikey is 'z' + base58btc of
a multicodec prefix and the 33-byte compressed point. Signatures are 64 bytes r || s, and s must be low.

There is no maintained base58 library (the one on PyPI had its last release in 2021), so the loop below decodes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import coincurve
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from atsite.core.atproto.syntax import invalid
from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
#: A Multikey is 48 characters, a legacy uncompressed key 88; decoding is quadratic in the length, so it is bounded.
_MULTIBASE_MAX = 128
_SIGNATURE_BYTES = 64


class Algorithm(StrEnum):
    """A curve, by the JOSE name of its signatures (RFC 7518, RFC 8812)."""

    ES256 = "ES256"
    ES256K = "ES256K"


_CURVES: dict[Algorithm, ec.EllipticCurve] = {Algorithm.ES256: ec.SECP256R1(), Algorithm.ES256K: ec.SECP256K1()}
#: Multicodec prefixes as varints: p256-pub 0x1200, secp256k1-pub 0xe7 (https://github.com/multiformats/multicodec).
_PREFIXES: dict[bytes, Algorithm] = {b"\x80\x24": Algorithm.ES256, b"\xe7\x01": Algorithm.ES256K}
#: Orders of the two groups (SEC 2, sections 2.4.1 and 2.4.2); a signature's s may be at most half of it.
_ORDERS = {
    Algorithm.ES256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Algorithm.ES256K: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}
#: Key types older than Multikey: the bare point, compressed or not, without a multicodec prefix.
_LEGACY_TYPES = {
    "EcdsaSecp256r1VerificationKey2019": Algorithm.ES256,
    "EcdsaSecp256k1VerificationKey2019": Algorithm.ES256K,
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point on one of the two curves, compressed (33 bytes)."""

    algorithm: Algorithm
    point: bytes

    @property
    def multibase(self) -> str:
        """The key as `publicKeyMultibase` of a Multikey."""
        prefix = next(prefix for prefix, algorithm in _PREFIXES.items() if algorithm is self.algorithm)
        return "z" + encode_base58(prefix + self.point)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` (r || s, low-S) is this key's over the SHA-256 of `message`."""
        if len(signature) != _SIGNATURE_BYTES or not is_low_s(signature, self.algorithm):
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        return _verifiers.get(self, lambda: _verifier(self))(encode_dss_signature(r, s), message)


def is_low_s(signature: bytes, algorithm: Algorithm) -> bool:
    """Whether s is in the lower half: of two equivalent signatures, only this one is valid here."""
    return 0 < int.from_bytes(signature[32:], "big") <= _ORDERS[algorithm] // 2


def low_s(signature: bytes, algorithm: Algorithm) -> bytes:
    """The same signature (r || s) with s in the lower half, as the protocol requires; OpenSSL produces either."""
    if is_low_s(signature, algorithm):
        return signature
    s = _ORDERS[algorithm] - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


def parse_multikey(text: str, *, key_type: str = "Multikey") -> PublicKey:
    """The key of a verification method of `key_type` (or of a did:key without `did:key:`). Raises InvalidSyntax."""
    if not text.startswith("z") or len(text) > _MULTIBASE_MAX:
        raise invalid("multibase key", text)
    data = decode_base58(text[1:])
    algorithm = _LEGACY_TYPES.get(key_type)
    if algorithm is None:
        algorithm, data = _PREFIXES.get(data[:2]), data[2:]
        if algorithm is None or len(data) != 33:
            raise invalid("Multikey of a known curve", text)
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[algorithm], data)
    except ValueError as error:
        raise invalid("point on its curve", text) from error
    return PublicKey(algorithm, key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def public_key_of(private: ec.EllipticCurvePrivateKey) -> PublicKey:
    """The public half of `private`, which must be on one of the two curves (KeyError otherwise)."""
    algorithm = {"secp256r1": Algorithm.ES256, "secp256k1": Algorithm.ES256K}[private.curve.name]
    return PublicKey(algorithm, private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


#: Parsed keys, for an hour: parsing costs a third of a verification.
_verifiers: TtlCache[PublicKey, Callable[[bytes, bytes], bool]] = TtlCache(size=10_000, seconds=3600.0)


def _verifier(key: PublicKey) -> Callable[[bytes, bytes], bool]:
    """A function that verifies this key's signature (DER) over the SHA-256 of a message.

    Nearly all accounts use secp256k1, which takes OpenSSL 400 to 700 µs per verification and libsecp256k1 50.
    """
    if key.algorithm is Algorithm.ES256K:
        fast = coincurve.PublicKey(key.point)

        def verifies_fast(signature: bytes, message: bytes) -> bool:
            try:
                return fast.verify(signature, message)
            except ValueError:  # r or s is out of range
                return False

        return verifies_fast
    loaded = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[key.algorithm], key.point)

    def verifies(signature: bytes, message: bytes) -> bool:
        try:
            loaded.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    return verifies


def decode_base58(text: str) -> bytes:
    """Bytes of base58btc text. Raises InvalidSyntax."""
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            raise invalid("base58btc text", text)
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_base58(data: bytes) -> str:
    """Base58btc text of `data`."""
    number, characters = int.from_bytes(data, "big"), ""
    while number:
        number, value = divmod(number, 58)
        characters = _ALPHABET[value] + characters
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + characters
