from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.keys import (
    Algorithm,
    decode_base58,
    encode_base58,
    is_low_s,
    low_s,
    parse_multikey,
    public_key_of,
)
from atsite.core.errors import InvalidSyntax

if TYPE_CHECKING:
    from pathlib import Path


def _fixtures(shared_data: Path, name: str) -> list[dict[str, Any]]:
    fixtures: list[dict[str, Any]] = json.loads((shared_data / "interop" / "crypto" / name).read_text("utf-8"))
    assert fixtures, name
    return fixtures


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.shared_data
def test_the_interop_signatures_are_good_and_bad_as_they_say(shared_data: Path) -> None:
    for fixture in _fixtures(shared_data, "signature-fixtures.json"):
        key = parse_multikey(fixture["publicKeyDid"].removeprefix("did:key:"))
        legacy = parse_multikey(fixture["publicKeyMultibase"], key_type=fixture["didDocSuite"])
        verdict = key.verifies(_bytes(fixture["signatureBase64"]), _bytes(fixture["messageBase64"]))
        assert (key.algorithm, legacy, verdict) == (fixture["algorithm"], key, fixture["validSignature"]), fixture


@pytest.mark.shared_data
def test_the_interop_did_keys_are_those_of_their_private_keys(shared_data: Path) -> None:
    for fixture in _fixtures(shared_data, "w3c_didkey_K256.json"):
        private = ec.derive_private_key(int(fixture["privateKeyBytesHex"], 16), ec.SECP256K1())
        assert "did:key:" + public_key_of(private).multibase == fixture["publicDidKey"]
    for fixture in _fixtures(shared_data, "w3c_didkey_P256.json"):
        number = int.from_bytes(decode_base58(fixture["privateKeyBytesBase58"]), "big")
        private = ec.derive_private_key(number, ec.SECP256R1())
        assert "did:key:" + public_key_of(private).multibase == fixture["publicDidKey"]


@pytest.mark.parametrize(
    "text",
    ["", "z", "zQ3", "Q3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc", "z" + "1" * 127, "z0OIl", "z" + "2" * 500],
)
def test_rubbish_is_no_key(text: str) -> None:
    with pytest.raises(InvalidSyntax):
        parse_multikey(text)


def test_a_point_that_is_on_no_curve_is_no_key() -> None:
    with pytest.raises(InvalidSyntax):
        parse_multikey("z" + encode_base58(b"\xe7\x01\x02" + b"\xff" * 32))


@given(st.binary(max_size=40))
def test_base58_returns_what_went_in(data: bytes) -> None:
    assert decode_base58(encode_base58(data)) == data


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_key_survives_its_multibase_form(algorithm: Algorithm) -> None:
    curve = ec.SECP256K1() if algorithm is Algorithm.ES256K else ec.SECP256R1()
    key = public_key_of(ec.generate_private_key(curve))
    assert (key.algorithm, parse_multikey(key.multibase)) == (algorithm, key)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP256R1()], ids=["ES256K", "ES256"])
def test_a_signature_with_high_s_becomes_the_good_one_of_the_pair(curve: ec.EllipticCurve) -> None:
    private = ec.derive_private_key(7, curve)
    key = public_key_of(private)
    highs = 0
    for number in range(20):
        message = str(number).encode()
        r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        highs += not is_low_s(signature, key.algorithm)
        assert key.verifies(signature, message) is is_low_s(signature, key.algorithm)
        assert key.verifies(low_s(signature, key.algorithm), message)
    assert 0 < highs < 20


@given(data=st.data(), number=st.integers(0, 3), algorithm=st.sampled_from(Algorithm))
def test_a_signature_is_good_exactly_where_openssl_says_so(
    data: st.DataObject, number: int, algorithm: Algorithm
) -> None:
    private = ec.derive_private_key(9 + number, ec.SECP256K1() if algorithm is Algorithm.ES256K else ec.SECP256R1())
    key, message = public_key_of(private), data.draw(st.binary(max_size=40))
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    right = low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"), algorithm)
    flipped = bytearray(right)
    flipped[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(0, 255))
    halves = st.sampled_from([right[:32], right[32:], b"\0" * 32, b"\xff" * 32, b"\0" * 31 + b"\1"])
    for signature in (right, bytes(flipped), data.draw(halves) + data.draw(halves)):
        assert key.verifies(signature, message) is _openssl_says(private, signature, message, algorithm)
        assert not key.verifies(signature, message + b"!")


def _openssl_says(private: ec.EllipticCurvePrivateKey, signature: bytes, message: bytes, algorithm: Algorithm) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        private.public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return is_low_s(signature, algorithm)
