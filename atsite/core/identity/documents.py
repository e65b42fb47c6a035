"""Fetches a did's document, as its method defines.

did:plc: a directory's GET /DID (https://web.plc.directory/spec/v0.1/did-plc). did:web: GET
https://HOST/.well-known/did.json, a host without a path, no redirects (https://atproto.com/specs/did).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from atsite.core.atproto.did_document import DidDocument, parse_did_document
from atsite.core.atproto.syntax import Did, is_account_did, is_plc_did
from atsite.core.errors import AtsiteError, InvalidSyntax
from atsite.core.outgoing import FetchFailed

if TYPE_CHECKING:
    from atsite.core.outgoing import Client

#: The timeout of one document look-up, in seconds.
DOCUMENT_SECONDS = 3.0


#: What the address of a did:web can do wrong. The directory of did:plc answers so only while it is out of order.
_UNUSABLE = ("forbidden", "bad_url", "redirects", "too_large", "not_json")


class NoSuchIdentity(AtsiteError):
    """The network answered that no account has this did or handle, or that the two contradict each other."""


class LookupFailed(AtsiteError):
    """The network did not answer. A later attempt may succeed."""


async def fetch_document(
    client: Client, did: Did, *, plc_url: str, loopback: bool = False, seconds: float = DOCUMENT_SECONDS
) -> DidDocument:
    """The document of `did`, fetched within `seconds`. Raises NoSuchIdentity, LookupFailed."""
    url = _document_url(did, plc_url=plc_url, loopback=loopback)
    try:
        fetched = await client.get(url, timeout=seconds, max_redirects=0)
        if fetched.status in (404, 410):  # 410: tombstoned
            raise NoSuchIdentity(f"{did} has no document")
        if fetched.status != 200:
            raise LookupFailed(f"the request for the document of {did} failed with status {fetched.status}")
        return parse_did_document(fetched.json(), did=did)
    except FetchFailed as error:
        if error.reason in _UNUSABLE and not is_plc_did(did):
            raise NoSuchIdentity(f"the document of {did} cannot be used: {error}") from error
        raise LookupFailed(f"the document of {did} cannot be fetched: {error}") from error
    except InvalidSyntax as error:
        raise (LookupFailed if is_plc_did(did) else NoSuchIdentity)(str(error)) from error


def _document_url(did: Did, *, plc_url: str, loopback: bool) -> str:
    if is_plc_did(did):
        return f"{plc_url}/{did}"
    if not is_account_did(did, loopback=loopback):
        raise NoSuchIdentity(f"{did} is not a did:plc, and not a did:web of a plain host name")
    host, _, port = unquote(did.removeprefix("did:web:")).partition(":")
    return f"http://{host}:{port}/.well-known/did.json" if port else f"https://{host}/.well-known/did.json"
