from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.keys import Algorithm, public_key_of
from atsite.core.atproto.service_jwt import BadToken, ServiceToken, read
from atsite.core.atproto.syntax import Did

NOW = 1_800_000_000.0
SERVICE = "did:web:feeds.example"
METHOD = "app.bsky.feed.getFeedSkeleton"
ALICE = Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
K256 = ec.derive_private_key(7, ec.SECP256K1())
P256 = ec.derive_private_key(7, ec.SECP256R1())
CLAIMS = {"iss": ALICE, "aud": SERVICE, "lxm": METHOD, "iat": int(NOW), "exp": int(NOW) + 60, "jti": "a1"}
ABSENT = "(left out)"


def signed(private: ec.EllipticCurvePrivateKey = K256, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A token as a PDS signs it, by PyJWT, with claims replaced or left out (ABSENT)."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ABSENT}
    return low_s(jwt.encode(claims, private, algorithm=public_key_of(private).algorithm, headers=header), private)


def low_s(token: str, private: ec.EllipticCurvePrivateKey, *, flip: bool = False) -> str:
    """The same token with s in the lower half, or (flip) in the upper one."""
    orders = {
        Algorithm.ES256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        Algorithm.ES256K: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    }
    order = orders[public_key_of(private).algorithm]
    head, _, last = token.rpartition(".")
    signature = base64.urlsafe_b64decode(last + "==")
    s = int.from_bytes(signature[32:], "big")
    s = max(s, order - s) if flip else min(s, order - s)
    return f"{head}.{part(signature[:32] + s.to_bytes(32, 'big'))}"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verdict(token: str, private: ec.EllipticCurvePrivateKey = K256) -> ServiceToken | str:
    """What the verifier says: the token, or the name of the error."""
    try:
        return read(token, audience=SERVICE, method=METHOD, now=NOW).verified_by(public_key_of(private))
    except BadToken as bad:
        return bad.name


GOOD = ServiceToken(issuer=ALICE, expires_at=NOW + 60, jti="a1")


@pytest.mark.parametrize("private", [K256, P256], ids=["ES256K", "ES256"])
def test_a_token_of_either_curve_is_good(private: ec.EllipticCurvePrivateKey) -> None:
    assert verdict(signed(private), private) == GOOD


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"aud": SERVICE + "#bsky_fg"}, GOOD),
        ({"jti": ABSENT, "iat": ABSENT}, ServiceToken(issuer=ALICE, expires_at=NOW + 60, jti=None)),
        ({"header": {"kid": "#atproto"}}, GOOD),
        ({"iat": NOW + 60}, GOOD),
        ({"nbf": NOW + 60}, GOOD),
        ({"exp": NOW - 59}, ServiceToken(issuer=ALICE, expires_at=NOW - 59, jti="a1")),
        ({"exp": NOW - 60}, "JwtExpired"),
        ({"exp": NOW + 3660}, ServiceToken(issuer=ALICE, expires_at=NOW + 3660, jti="a1")),
        ({"exp": NOW + 3661}, "BadJwt"),
        ({"exp": ABSENT}, "BadJwt"),
        ({"exp": True}, "BadJwt"),
        ({"iat": NOW + 61}, "BadJwt"),
        ({"nbf": NOW + 61}, "BadJwt"),
        ({"aud": ABSENT}, "BadJwtAudience"),
        ({"aud": [SERVICE]}, "BadJwtAudience"),
        ({"aud": SERVICE + ".evil.example"}, "BadJwtAudience"),
        ({"aud": "did:web:feeds"}, "BadJwtAudience"),
        ({"aud": SERVICE + "#atproto_labeler"}, "BadJwtAudience"),
        ({"lxm": ABSENT}, "BadJwtLexiconMethod"),
        ({"lxm": "app.bsky.feed.getFeed"}, "BadJwtLexiconMethod"),
        ({"lxm": "*"}, "BadJwtLexiconMethod"),
        ({"iss": "did:web:Alice.Example.com"}, replace(GOOD, issuer=Did("did:web:alice.example.com"))),
        ({"iss": ABSENT}, "BadJwtIss"),
        ({"iss": ALICE + "#atproto"}, "BadJwtIss"),
        ({"iss": "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"}, "BadJwtIss"),
        ({"exp": 10**400}, "BadJwt"),
        ({"exp": -1}, "JwtExpired"),
        ({"iat": float("nan")}, "BadJwt"),
        ({"iat": 10**400}, "BadJwt"),
        ({"nbf": float("inf")}, "BadJwt"),
        ({"jti": 7}, "BadJwt"),
        ({"jti": "\ud800"}, "BadJwt"),
        ({"jti": "a\udfff"}, "BadJwt"),
        ({"other": {"\ud800": ["\udc00"]}}, "BadJwt"),
        ({"header": {"kid": "\ud800"}}, "BadJwt"),
        ({"jti": "x" * 256}, ServiceToken(issuer=ALICE, expires_at=NOW + 60, jti="x" * 256)),
        ({"jti": "x" * 257}, "BadJwt"),
        ({"jti": ""}, "BadJwt"),
        ({"header": {"typ": "at+jwt"}}, "BadJwtType"),
        ({"header": {"typ": "DPoP+JWT"}}, "BadJwtType"),
        ({"header": {"typ": "refresh+jwt"}}, "BadJwtType"),
        ({"header": {"crit": ["exp"]}}, "BadJwt"),
        ({"header": {"crit": []}}, "BadJwt"),
        ({"header": {"crit": ["b64"], "b64": True}}, "BadJwt"),
        ({"header": {"kid": "#other"}}, "BadJwt"),
    ],
    ids=str,
)
def test_each_claim_has_its_verdict(changes: dict[str, Any], expected: ServiceToken | str) -> None:
    assert verdict(signed(**changes)) == expected


def test_a_key_of_the_other_curve_or_of_somebody_else_does_not_verify() -> None:
    assert verdict(signed(K256), P256) == "BadJwtSignature"
    assert verdict(signed(K256), ec.derive_private_key(8, ec.SECP256K1())) == "BadJwtSignature"


def test_a_header_that_names_the_algorithm_of_another_curve_does_not_verify() -> None:
    head = part(json.dumps({"typ": "JWT", "alg": "ES256"}).encode())
    assert verdict(spelled(json.dumps(CLAIMS).encode(), head=head)) == "BadJwtSignature"


def test_a_high_s_signature_is_refused_though_it_is_mathematically_good() -> None:
    flipped = low_s(signed(), K256, flip=True)
    jwt.decode(
        flipped,
        K256.public_key(),
        algorithms=["ES256K"],
        options={"verify_exp": False, "verify_aud": False, "verify_iat": False},
    )
    assert verdict(flipped) == "BadJwtSignature"


def test_hs256_with_the_public_key_as_secret_is_no_token() -> None:
    token = jwt.encode(dict(CLAIMS), b"x" * 16 + public_key_of(K256).point, algorithm="HS256")
    assert verdict(token) == "BadJwt"


def test_alg_none_is_no_token() -> None:
    assert verdict(jwt.encode(dict(CLAIMS), "", algorithm="none")) == "BadJwt"


def test_the_claims_cannot_be_changed_under_the_signature() -> None:
    head, _, signature = signed().split(".")
    other = part(json.dumps({**CLAIMS, "iss": "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"}).encode())
    assert verdict(f"{head}.{other}.{signature}") == "BadJwtSignature"


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "....", "é.é.é", "x" * 10_000, "W10.W10.W10", "e30.W10.", "e30.MQ.AA"]
)
def test_garbage_is_no_token(token: str) -> None:
    assert verdict(token) == "BadJwt"


def test_a_token_has_8192_characters_at_most() -> None:
    """It is refused before it is parsed."""

    def of_length(length: int) -> str:
        filler = next(filler for filler in range(5_000, 7_000) if len(signed(other="x" * filler)) >= length)
        return signed(other="x" * filler)

    whole = of_length(8_192)
    assert (len(whole), verdict(whole)) == (8_192, GOOD)
    assert verdict(of_length(8_193)) == "BadJwt"


def spelled(content: bytes, *, head: str = "") -> str:
    """A token with these bytes as its claims, signed by the key all the same; `head` may say what is wrong."""
    signing_input = f"{head or signed().split('.')[0]}.{part(content)}"
    signature = jwt.api_jws.PyJWS().get_algorithm_by_name("ES256K").sign(signing_input.encode(), K256)
    return low_s(f"{signing_input}.{part(signature)}", K256)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_claims_in_another_encoding_than_utf_8_are_no_claims(encoding: str) -> None:
    assert verdict(spelled(json.dumps(CLAIMS).encode())) == GOOD
    assert verdict(spelled(json.dumps(CLAIMS).encode(encoding))) == "BadJwt"


def test_a_part_has_one_spelling() -> None:
    head, claims, signature = signed().split(".")
    stray = signature[:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[signature[-1]]  # bits that belong to no byte
    for other in (signature + "==", signature + "=", stray, signature + "\n", " " + signature):
        assert verdict(f"{head}.{claims}.{other}") == "BadJwt"
    assert verdict(f"{head}=.{claims}.{signature}") == "BadJwt"
    assert verdict(f"{head}.{claims}=.{signature}") == "BadJwt"


@given(st.text(max_size=200) | st.binary(max_size=60).map(part))
def test_nothing_but_bad_token_is_ever_raised(text: str) -> None:
    assert isinstance(verdict(f"{text}.{text}.{text}"), str)
    assert isinstance(verdict(f"{signed().split('.')[0]}.{text}.{text}"), str)


@given(st.data())
def test_pyjwt_reads_the_same_in_every_token_that_is_accepted(data: st.DataObject) -> None:
    """Also in one with a character changed, left out or added somewhere, or with other bytes as its claims."""
    claims = json.dumps(CLAIMS, separators=data.draw(st.sampled_from([(",", ":"), (", ", " : ")]))).encode()
    place = data.draw(st.integers(0, len(claims)))
    token = data.draw(
        st.sampled_from([signed(), spelled(claims[:place] + data.draw(st.binary(max_size=2)) + claims[place:])])
    )
    place = data.draw(st.integers(0, len(token)))
    token = token[:place] + data.draw(st.text("aZ0-_.= \n", max_size=1)) + token[place + data.draw(st.integers(0, 1)) :]
    try:
        mine = read(token, audience=SERVICE, method=METHOD, now=NOW)
    except BadToken:
        return
    theirs = jwt.decode_complete(token, options={"verify_signature": False})
    assert (theirs["header"]["alg"], theirs["signature"]) == (mine.algorithm, mine.signature)
    assert mine.signing_input == token.rpartition(".")[0].encode()
    read_by_both = ServiceToken(mine.issuer, mine.expires_at, mine.jti)
    assert read_by_both == ServiceToken(
        theirs["payload"]["iss"], theirs["payload"]["exp"], theirs["payload"].get("jti")
    )
