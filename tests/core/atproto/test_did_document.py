from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric import ec

from atsite.core.atproto.did_document import PDS_MAX, DidDocument, parse_did_document
from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did, Handle
from atsite.core.errors import InvalidSyntax

if TYPE_CHECKING:
    from pathlib import Path

ALICE = Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
KEY = public_key_of(ec.derive_private_key(7, ec.SECP256K1()))


def document(**changes: Any) -> dict[str, Any]:
    """Alice's document, absolute ids, with fields replaced."""
    method = {"id": f"{ALICE}#atproto", "type": "Multikey", "controller": ALICE, "publicKeyMultibase": KEY.multibase}
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://pds.example/"}
    return {
        "id": ALICE,
        "alsoKnownAs": ["https://alice.example", "at://Alice.Example"],
        "verificationMethod": [method],
        "service": [service],
        **changes,
    }


def test_the_four_fields_are_read() -> None:
    expected = DidDocument(did=ALICE, handle=Handle("alice.example"), signing_key=KEY, pds="https://pds.example")
    assert parse_did_document(document(), did=ALICE) == expected


@pytest.mark.parametrize("named", ["did:web:Alice.Example.com", "did:web:alice.example.com"])
def test_the_host_of_a_did_web_may_be_spelled_in_either_case(named: str) -> None:
    did = Did("did:web:alice.example.com")
    method = {"id": f"{named}#atproto", "type": "Multikey", "controller": named, "publicKeyMultibase": KEY.multibase}
    parsed = parse_did_document(document(id=named, verificationMethod=[method]), did=did)
    assert (parsed.did, parsed.signing_key) == (did, KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {"alsoKnownAs": "at://a.example", "verificationMethod": {}, "service": None},
        {"alsoKnownAs": [3, "at://not a handle"], "verificationMethod": [3, {"id": "#atproto"}], "service": [[], {}]},
        {
            "alsoKnownAs": [],
            "verificationMethod": [{"id": "#other", "type": "Multikey", "publicKeyMultibase": KEY.multibase}],
            "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "file:///etc"}],
        },
    ],
)
def test_fields_of_a_wrong_shape_are_as_if_absent(changes: dict[str, Any]) -> None:
    parsed = parse_did_document(document(**changes), did=ALICE)
    assert parsed == DidDocument(did=ALICE, handle=None, signing_key=None, pds=None)


@pytest.mark.parametrize("alias", ["at://handle.invalid", "at://Handle.Invalid"])
def test_the_placeholder_for_an_unverified_handle_is_no_handle(alias: str) -> None:
    assert parse_did_document(document(alsoKnownAs=[alias, "at://alice.example"]), did=ALICE).handle is None


def test_a_handle_is_checked_as_written_because_the_kelvin_sign_becomes_a_k_in_lower_case() -> None:
    assert "\u212a".lower() == "k"
    assert parse_did_document(document(alsoKnownAs=["at://\u212aate.example"]), did=ALICE).handle is None


def test_an_address_of_a_pds_is_bounded() -> None:
    def pds_of(endpoint: str) -> str | None:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}
        return parse_did_document(document(service=[service]), did=ALICE).pds

    longest = "https://" + "a" * (PDS_MAX - 8)
    assert [pds_of(longest), pds_of(longest + "a")] == [longest, None]


@pytest.mark.parametrize("content", [None, [], "text", {}, {"id": "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"}])
def test_the_document_of_somebody_else_is_refused(content: object) -> None:
    with pytest.raises(InvalidSyntax):
        parse_did_document(content, did=ALICE)


@pytest.mark.shared_data
def test_every_real_document_has_a_handle_a_key_and_a_pds(shared_data: Path) -> None:
    packed = (shared_data / "identity" / "did_docs.json.zst").read_bytes()
    content = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(packed))
    documents = list(content.values()) if isinstance(content, dict) else content
    parsed = [parse_did_document(each, did=Did(each["id"])) for each in documents]
    assert len(parsed) == 148
    assert [each.did for each in parsed if not (each.handle and each.signing_key and each.pds)] == []
