"""Parses the parts of a did document that atsite uses: the handle, the signing key and the PDS.

https://atproto.com/specs/did#did-documents. An identifier inside the document may be relative (`#atproto`) or absolute
(`did:plc:…#atproto`); both forms are in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atsite.core.atproto.keys import PublicKey, parse_multikey
from atsite.core.atproto.syntax import INVALID_HANDLE, Did, Handle, invalid, is_handle, one_spelling, parse_did
from atsite.core.errors import InvalidSyntax

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


#: Documents are untrusted and are cached, so a longer PDS address is ignored.
PDS_MAX = 2048


@dataclass(frozen=True, slots=True)
class DidDocument:
    """A did's document; absent or unusable parts are None."""

    did: Did
    handle: Handle | None
    signing_key: PublicKey | None
    pds: str | None


def parse_did_document(document: object, *, did: Did) -> DidDocument:
    """Parse `document` (decoded JSON) of `did`.

    Raises InvalidSyntax if it is another did's or not a document; a field of a wrong type counts as absent.
    """
    named = document.get("id") if isinstance(document, dict) else document
    if not isinstance(document, dict) or not isinstance(named, str) or one_spelling(Did(named)) != one_spelling(did):
        raise invalid(f"did document of {did}", str(named))
    return DidDocument(
        did=parse_did(did),
        handle=_handle(document),
        signing_key=_signing_key(document, named),
        pds=_pds(document, named),
    )


def _handle(document: Mapping[str, Any]) -> Handle | None:
    """The first at:// alias, as the specification says; a resolver must verify it."""
    aliases = document.get("alsoKnownAs")
    for alias in aliases if isinstance(aliases, list) else []:
        if isinstance(alias, str) and alias.startswith("at://"):
            written = alias.removeprefix("at://")
            # Checked as written: lower() makes a k of the Kelvin sign.
            handle = Handle(written.lower()) if is_handle(written) else None
            return None if handle == INVALID_HANDLE else handle
    return None


def _signing_key(document: Mapping[str, Any], did: str) -> PublicKey | None:
    for method in _entries(document, "verificationMethod", f"{did}#atproto"):
        key, key_type = method.get("publicKeyMultibase"), method.get("type")
        if isinstance(key, str) and isinstance(key_type, str):
            try:
                return parse_multikey(key, key_type=key_type)
            except InvalidSyntax:
                return None
    return None


def _pds(document: Mapping[str, Any], did: str) -> str | None:
    for service in _entries(document, "service", f"{did}#atproto_pds"):
        endpoint = service.get("serviceEndpoint")
        if service.get("type") == "AtprotoPersonalDataServer" and isinstance(endpoint, str):
            usable = endpoint.startswith(("https://", "http://")) and len(endpoint) <= PDS_MAX
            return endpoint.rstrip("/") if usable else None
    return None


def _entries(document: Mapping[str, Any], field: str, absolute_id: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a list field with this id, relative or absolute."""
    values = document.get(field)
    relative = "#" + absolute_id.partition("#")[2]
    for value in values if isinstance(values, list) else []:
        if isinstance(value, dict) and value.get("id") in (absolute_id, relative):
            yield value
