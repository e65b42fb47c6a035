"""Parameters of the search service that are dids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import is_did, one_spelling
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did


def did_parameter(name: str, text: str | None) -> Did | None:
    """The did in its one spelling; None if the parameter is not given. Raises XrpcError."""
    if text is None:
        return None
    if not is_did(text):
        raise XrpcError("InvalidRequest", f"{name}: not a did")
    return one_spelling(text)
