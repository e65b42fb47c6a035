"""A session of an account at its PDS, read from the answers of createSession and refreshSession."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atsite.core.atproto.syntax import Did, is_did
from atsite.core.pds.answers import PdsError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Session:
    """A session of an account at its PDS. The tokens are secret and not in the repr."""

    did: Did
    handle: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    #: What the access token may do: "com.atproto.appPass", "com.atproto.access" …; "" if the token does not say.
    scope: str = ""
    #: Why the account is not active, such as "deactivated"; "" for an active one.
    status: str = ""


def read_session(answer: Mapping[str, Any]) -> Session:
    """The session that a PDS answered. Raises PdsError."""
    did, access, refresh = answer.get("did"), answer.get("accessJwt"), answer.get("refreshJwt")
    if not (isinstance(did, str) and is_did(did) and isinstance(access, str) and isinstance(refresh, str)):
        raise PdsError("InvalidResponse", "the session lacks a did or a token", 200)
    status = str(answer.get("status") or "inactive")[:80] if answer.get("active") is False else ""
    return Session(
        did=did,
        handle=str(answer.get("handle", "")),
        access_token=access,
        refresh_token=refresh,
        scope=scope_of(access),
        status=status,
    )


def scope_of(token: str) -> str:
    """The `scope` that a JWT claims, without checking its signature; "" if it cannot be read."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return ""
    scope = claims.get("scope") if isinstance(claims, dict) else None
    return scope if isinstance(scope, str) else ""
