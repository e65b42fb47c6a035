from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.errors import InvalidSyntax
from atsite.core.repo.cid import DAG_CBOR, RAW, cid_of, format_cid, parse_cid

# Computed by the official implementation: the first record of a real repo.
TEXT = "bafyreia3zwwmogntyn7zhsr6kyzvelma2l77axbldfja6jwcqbjq5e5tj4"
DATA = bytes.fromhex("017112201bcdacc719b3c37f93ca3e563352 2d80d2fff05c2b19520f26c280530e93b34f".replace(" ", ""))


@given(prefix=st.sampled_from([DAG_CBOR, RAW]), content=st.binary())
def test_a_cid_survives_the_way_to_text_and_back(prefix: bytes, content: bytes) -> None:
    cid = cid_of(content, prefix)
    assert parse_cid(format_cid(cid)) == cid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        TEXT[:-1],
        TEXT + "a",
        TEXT.upper(),
        "b" + TEXT[1:].upper(),
        TEXT[:-1] + "5",  # other bits in the last character that are no part of the bytes
        "bafy" + "1" * 55,
        "z" + TEXT[1:],
        "bafkrwi" + TEXT[7:],  # another hash
        "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
        "b" + "é" * 58,
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid CID of the protocol"):
        parse_cid(text)


@pytest.mark.parametrize("data", [b"", cid_of(b"")[:-1], cid_of(b"") + b"\0", b"\x12" + cid_of(b"")[1:]])
def test_other_bytes_have_no_text(data: bytes) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid CID of the protocol"):
        format_cid(data)
