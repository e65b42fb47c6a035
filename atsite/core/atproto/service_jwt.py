"""Service tokens, by which a PDS vouches for a user (https://atproto.com/specs/xrpc#inter-service-authentication-jwt).

`read` checks everything except the signature: the audience, the method, the times and the issuer. Then
`UnverifiedToken.verified_by` checks the signature, so that no key is looked up for an invalid token. Both raise
BadToken, with the names of the reference server. PyJWT does neither: it accepts high-S and more spellings of a token
than this protocol, and takes longer than the signature (docs/decisions/0091-tokens-read-strictly.md).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from atsite.core.atproto.keys import Algorithm
from atsite.core.atproto.syntax import Did, is_did, one_spelling
from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from atsite.core.atproto.keys import PublicKey

#: Clocks of servers differ: real tokens were up to 40 s in the future, and are valid for 60 s.
CLOCK_SKEW_SECONDS = 60
#: getServiceAuth signs for at most an hour if a method is given.
LIFETIME_MAX_SECONDS = 3600
#: A real token has about 400 characters; the text is untrusted.
TOKEN_MAX = 8192
#: The year 9999.
SECONDS_MAX = 253_402_300_799
#: Types of other tokens, which some servers sign with keys of the same kind.
_FOREIGN_TYPES = frozenset({"at+jwt", "refresh+jwt", "dpop+jwt"})


class BadToken(AtsiteError):
    """The token is invalid; `name` is the XRPC error's name. Always HTTP 401."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A verified token: its issuer, expiry (unix seconds), and id if it has one."""

    issuer: Did
    expires_at: float
    jti: str | None


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token with valid claims and an unchecked signature."""

    issuer: Did
    expires_at: float
    jti: str | None
    algorithm: Algorithm
    signing_input: bytes
    signature: bytes

    def verified_by(self, key: PublicKey) -> ServiceToken:
        """The token, verified with its issuer's key. Raises BadToken (BadJwtSignature)."""
        # The key's curve decides; the header's alg must match it.
        if self.algorithm is not key.algorithm or not key.verifies(self.signature, self.signing_input):
            raise BadToken("BadJwtSignature", "the token is not signed by its issuer's current key")
        return ServiceToken(issuer=self.issuer, expires_at=self.expires_at, jti=self.jti)


def read(token: str, *, audience: str, method: str, now: float) -> UnverifiedToken:
    """Check all of `token` except its signature.

    `audience` is this service's did; `did#bsky_fg` is also accepted. `method` is the called NSID, `now` unix seconds.
    Raises BadToken: BadJwt, BadJwtType, JwtExpired, BadJwtAudience, BadJwtLexiconMethod, BadJwtIss.
    """
    header, claims, signing_input, signature = _parts(token)
    algorithm = _checked_header(header)
    expires_at = _checked_times(claims, now)
    if claims.get("aud") not in (audience, f"{audience}#bsky_fg"):
        raise BadToken("BadJwtAudience", f"the token is not for {audience}")
    if claims.get("lxm") != method:
        raise BadToken("BadJwtLexiconMethod", f"the token is not for {method}")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer.startswith(("did:plc:", "did:web:")) or not is_did(issuer):
        raise BadToken("BadJwtIss", "the issuer is not a did:plc or did:web")
    jti = claims.get("jti")
    if jti is not None and not (isinstance(jti, str) and 0 < len(jti) <= 256):
        raise BadToken("BadJwt", "jti is not a string of 1 to 256 characters")
    return UnverifiedToken(one_spelling(issuer), expires_at, jti, algorithm, signing_input, signature)


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, signing input and signature of a compact JWS (RFC 7515, 7.1), not checked yet."""
    if len(token) > TOKEN_MAX or token.count(".") != 2:
        raise BadToken("BadJwt", "the token is not three base64url parts")
    signing_input, _, signature = token.rpartition(".")
    header, _, claims = signing_input.partition(".")
    try:
        return _object(header), _object(claims), signing_input.encode(), _content(signature)
    except (ValueError, RecursionError) as error:
        raise BadToken("BadJwt", "the token is not three base64url parts of JSON objects") from error


#: Refuses all that RFC 8259 does: a byte order mark, other encodings than UTF-8, NaN, lone surrogates. JSON can spell
#: the last ones, and no text that is stored, hashed or sent can hold them.
_object_decoder = msgspec.json.Decoder(dict[str, Any])


def _object(part: str) -> dict[str, Any]:
    """The JSON object in a part of a token. Raises ValueError, RecursionError."""
    return _object_decoder.decode(_content(part))


def _content(part: str) -> bytes:
    """The bytes of a part; one spelling for one content (RFC 7515, 2): no padding, no stray bits. Raises ValueError."""
    content = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(content).rstrip(b"=") != part.encode():
        raise ValueError("not base64url without padding")
    return content


def _checked_header(header: dict[str, Any]) -> Algorithm:
    token_type = header.get("typ")
    if isinstance(token_type, str) and token_type.lower() in _FOREIGN_TYPES:
        raise BadToken("BadJwtType", f"a token of type {token_type} is not a service token")
    if "crit" in header or header.get("kid", "#atproto") != "#atproto":
        raise BadToken("BadJwt", "the token requires a key or an extension that is not supported")
    try:
        return Algorithm(str(header.get("alg")))
    except ValueError as error:
        raise BadToken("BadJwt", "the token's alg is neither ES256K nor ES256") from error


def _checked_times(claims: dict[str, Any], now: float) -> float:
    """The exp claim, after checks of iat and nbf if they are given."""
    expires_at = _seconds(claims, "exp")
    if expires_at is None:
        raise BadToken("BadJwt", "the token has no exp")
    if expires_at + CLOCK_SKEW_SECONDS <= now:
        raise BadToken("JwtExpired", "the token has expired")
    if expires_at - now > LIFETIME_MAX_SECONDS + CLOCK_SKEW_SECONDS:
        raise BadToken("BadJwt", "the token is valid for longer than an hour")
    for name in ("iat", "nbf"):
        valid_from = _seconds(claims, name)
        if valid_from is not None and valid_from - CLOCK_SKEW_SECONDS > now:
            raise BadToken("BadJwt", f"the token is not valid yet ({name})")
    return expires_at


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # Compared before it is made a float: an int of 400 digits is none.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= SECONDS_MAX:
        raise BadToken("BadJwt", f"{name} is not a number of seconds")
    return float(value)
