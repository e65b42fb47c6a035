"""Resolves dids and handles on the network: did documents, and handles verified in both directions."""

from __future__ import annotations

from atsite.core.identity.documents import LookupFailed, NoSuchIdentity, fetch_document
from atsite.core.identity.handles import HandleLookup, did_of_handle
from atsite.core.identity.resolver import Resolver, site_resolver
from atsite.core.identity.signing_keys import SigningKeys

__all__ = [
    "HandleLookup",
    "LookupFailed",
    "NoSuchIdentity",
    "Resolver",
    "SigningKeys",
    "did_of_handle",
    "fetch_document",
    "site_resolver",
]
