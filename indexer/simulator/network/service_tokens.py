"""The service tokens of simulated accounts, as their PDS would sign them."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final

import jwt

from atsite.core.atproto.keys import low_s, public_key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

#: As long as getServiceAuth signs for when it is told a method; a real PDS mostly takes 60.
LIFETIME_SECONDS: Final = 3600


def service_token(
    private: ec.EllipticCurvePrivateKey, *, issuer: str, audience: str, method: str, now: int, seconds: int
) -> str:
    """A token that is valid for `seconds` from `now` (unix seconds), with its own jti."""
    claims = {
        "iss": issuer,
        "aud": audience,
        "lxm": method,
        "iat": now,
        "exp": now + seconds,
        "jti": secrets.token_hex(16),
    }
    algorithm = public_key_of(private).algorithm
    head, _, signature = jwt.encode(claims, private, algorithm=algorithm).rpartition(".")
    lowered = low_s(base64.urlsafe_b64decode(signature + "=="), algorithm)  # PyJWT leaves s as OpenSSL made it
    return f"{head}.{base64.urlsafe_b64encode(lowered).rstrip(b'=').decode()}"
