"""Service tokens as a PDS signs them, and as someone else might."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from atsite.core.atproto.keys import low_s, public_key_of

SKELETON = "app.bsky.feed.getFeedSkeleton"
ABSENT = object()


def key(number: int, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """One of many keys, of secp256k1 unless said otherwise."""
    return ec.derive_private_key(number, curve or ec.SECP256K1())


def token(
    private: ec.EllipticCurvePrivateKey, *, header: dict[str, Any] | None = None, high_s: bool = False, **changes: Any
) -> str:
    """A token that is good for a minute; `iss` and `aud` must be said, every claim can be, ABSENT leaves it out."""
    now = int(time.time())
    claims = {"lxm": SKELETON, "iat": now, "exp": now + 60, "jti": "a1", **changes}
    claims = {name: value for name, value in claims.items() if value is not ABSENT}
    algorithm = public_key_of(private).algorithm
    head, _, last = jwt.encode(claims, private, algorithm=algorithm, headers=header).rpartition(".")
    signature = low_s(base64.urlsafe_b64decode(last + "=="), algorithm)
    if high_s:
        order = private.curve.group_order
        signature = signature[:32] + (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    return f"{head}.{part(signature)}"


def part(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
