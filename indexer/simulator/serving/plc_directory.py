"""A PLC directory and handle resolver for the accounts of a simulated network.

`GET /DID` (https://web.plc.directory/spec/v0.1/did-plc) and com.atproto.identity.resolveHandle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from atsite.core.atproto.keys import public_key_of

if TYPE_CHECKING:
    from indexer.simulator.network.identities import Identities

RESOLVE_HANDLE: Final = "/xrpc/com.atproto.identity.resolveHandle"
_CONTEXT: Final = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: the HTTP status, the body and its type."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Directory:
    """Answers requests about the accounts of one network."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def page(self, target: str, *, origin: str, now: int) -> Page | None:
        """The answer to GET `target` (path and query) at `now` (unix microseconds); None for any other path.

        `origin` is the address of this server, which is every account's PDS.
        """
        parts = urlsplit(target)
        if parts.path == RESOLVE_HANDLE:
            return self._resolved(parse_qs(parts.query).get("handle", [""])[0].lower(), now)
        path = unquote(parts.path)
        return self._document(path[1:], origin, now) if path.startswith("/did:") else None

    def _resolved(self, handle: str, now: int) -> Page:
        did = self._identities.did(handle, now)
        if did is None:
            return json_page(400, {"error": "HandleNotFound", "message": "no account of this network has that handle"})
        return json_page(200, {"did": did})

    def _document(self, did: str, origin: str, now: int) -> Page:
        handle = self._identities.handle(did, now)
        if handle is None:
            gone = self._identities.was_deleted(did, now)
            return json_page(
                410 if gone else 404, {"message": f"DID not {'available' if gone else 'registered'}: {did}"}
            )
        key = public_key_of(self._identities.key(did)).multibase
        return json_page(200, did_document(did, handle, key, origin))


def did_document(did: str, handle: str, key: str, pds: str) -> dict[str, object]:
    """The did document of an account; `key` is a multibase public key, `pds` the address of its PDS."""
    return {
        "@context": _CONTEXT,
        "id": did,
        "alsoKnownAs": [f"at://{handle}"],
        "verificationMethod": [
            {"id": f"{did}#atproto", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
        ],
        "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds}],
    }


def json_page(status: int, content: object) -> Page:
    """A page of JSON."""
    return Page(status, json.dumps(content).encode())
