from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.aturi import AtUri, is_at_uri
from atsite.core.atproto.syntax import (
    RESERVED,
    Did,
    Nsid,
    Rkey,
    is_account_did,
    is_cid,
    is_did,
    is_handle,
    is_nsid,
    is_plc_did,
    is_rkey,
    one_spelling,
    parse_account_did,
    parse_did,
    parse_rkey,
)
from atsite.core.errors import InvalidSyntax

if TYPE_CHECKING:
    from collections.abc import Callable

FOREIGN = ["\n", " ", "\0", "/", "é", "\N{ARABIC-INDIC DIGIT ONE}"]
GOOD: list[tuple[Callable[[str], str], str]] = [
    (parse_did, "did:web:localhost%3A1234"),
    (parse_rkey, "did:plc:x::did:web:y"),
]


@pytest.mark.parametrize(("parse", "text"), GOOD)
def test_parsing_returns_the_text_as_it_is(parse: Callable[[str], str], text: str) -> None:
    assert parse(text) == text


@pytest.mark.parametrize(("parse", "text"), GOOD)
@pytest.mark.parametrize("spoil", FOREIGN)
def test_parsing_refuses_the_text_with_a_foreign_character_behind_it(
    parse: Callable[[str], str], text: str, spoil: str
) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid"):
        parse(text + spoil)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (is_cid, "bafyreiaxf7tgbfydx3465sckitq6v564thxe2wwydbi7cwxbxvgssje3em"),
        (is_handle, "Mira.Demo.Test"),
        (is_nsid, "app.bsky.feed.post"),
    ],
)
def test_a_foreign_character_behind_the_text_is_refused(check: Callable[[str], bool], text: str) -> None:
    assert check(text)
    assert [spoil for spoil in FOREIGN if check(text + spoil)] == []


def test_an_error_says_what_was_expected_and_a_bounded_part_of_the_value() -> None:
    with pytest.raises(InvalidSyntax) as caught:
        parse_did("x" * 5_000_000)
    assert str(caught.value) == f"not a valid did: '{'x' * 80}…'"


def test_longest_forms_end_where_the_specification_says() -> None:
    assert is_did("did:web:" + "x" * 2040)
    assert not is_did("did:web:" + "x" * 2041)
    assert is_rkey("x" * 512)
    assert not is_rkey("x" * 513)
    labels = ".".join(["x" * 63] * 3)
    assert is_handle(f"{labels}.{'x' * 61}")
    assert not is_handle(f"{labels}.{'x' * 62}")
    assert is_nsid(f"{labels}.{'x' * 62}.{'y' * 62}")
    assert not is_nsid(f"{labels}.{'x' * 62}.{'y' * 63}")


def test_a_plc_did_has_24_base32_characters() -> None:
    assert is_plc_did("did:plc:mcc5yghbk7tixqryac2yxku7")
    assert not is_plc_did("did:plc:mcc5yghbk7tixqryac2yxku1")
    assert not is_plc_did("did:plc:mcc5yghbk7tixqryac2yxku")


@given(st.text(max_size=80))
def test_no_check_ever_raises(text: str) -> None:
    for check in (is_at_uri, is_cid, is_did, is_handle, is_nsid, is_plc_did, is_rkey):
        assert check(text) in (True, False)


dids = st.from_regex(r"did:[a-z]{1,8}:[A-Za-z0-9._:%-]{0,30}[A-Za-z0-9._-]", fullmatch=True).map(Did)
nsids = st.from_regex(r"[a-z]{1,8}(\.[a-z0-9]{1,8}){1,3}\.[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True).map(Nsid)
rkeys = st.from_regex(r"[A-Za-z0-9_~.:-]{1,40}", fullmatch=True).filter(is_rkey).map(Rkey)


@given(dids, nsids, rkeys)
def test_an_at_uri_survives_text_and_back(did: Did, collection: Nsid, rkey: Rkey) -> None:
    uri = AtUri(did, collection, rkey)
    assert AtUri.parse(str(uri)) == uri
    assert is_at_uri(str(uri))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "at://",
        "at://did:plc:asdf123",
        "at://did:plc:asdf123/app.bsky.feed.post",
        "at://did:plc:asdf123/app.bsky.feed.post/",
        "at://did:plc:asdf123/app.bsky.feed.post/x/y",
        "at://did:plc:asdf123/post/x",
        "at://mira.demo.test/app.bsky.feed.post/x",
        "at://did:plc:asdf123/app.bsky.feed.post/x\n",
        "AT://did:plc:asdf123/app.bsky.feed.post/x",
        "at://did:plc:asdf123/app.bsky.feed.post/..",
    ],
)
def test_only_the_at_uri_of_a_record_by_did_is_parsed(text: str) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid at-uri of a record"):
        AtUri.parse(text)


ACCOUNTS = [
    ("did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"),
    ("did:web:example.com", "did:web:example.com"),
    ("did:web:a-b.example.co.uk", "did:web:a-b.example.co.uk"),
    ("did:web:xn--caf-dma.example.com", "did:web:xn--caf-dma.example.com"),
    ("did:web:Alice.Example.COM", "did:web:alice.example.com"),
]


@pytest.mark.parametrize(("did", "spelled"), ACCOUNTS)
def test_a_did_that_an_account_can_have_has_one_spelling(did: str, spelled: str) -> None:
    assert is_account_did(did)
    assert parse_account_did(did) == spelled


@pytest.mark.parametrize("did", ["did:plc:EWVI", "did:web:localhost%3A3000", "did:web:example.com:User:alice"])
def test_only_the_host_alone_of_a_did_web_has_no_case(did: str) -> None:
    assert one_spelling(Did(did)) == did


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_host_that_no_one_can_have_in_public_is_no_accounts_but_on_this_machine(name: str) -> None:
    did = f"did:web:alice.{name.upper()}"
    assert not is_account_did(did)
    assert is_account_did(did, loopback=True)
    with pytest.raises(InvalidSyntax, match=rf"^{did} is no account's did: names that end in \.{name} are reserved$"):
        parse_account_did(did)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("did:plc:short", "not a whole did"),
        ("did:plc:ewvi7nxzyoun6zhxrhs64oi", "not a whole did"),
        ("did:plc:ewvi7nxzyoun6zhxrhs64oizz", "not a whole did"),
        ("did:plc:ewvi7nxzyoun6zhxrhs64oi1", "not a whole did"),
        ("did:plc:EWVI7NXZYOUN6ZHXRHS64OIZ", "not a whole did"),
        ("did:plc:ewvi7nxzyoun6zhxrhs64oiz:x", "not a whole did"),
        ("did:web:example.com:user:alice", "a host name alone"),
        ("did:web:example.com%3A8080", "a host name alone"),
        ("did:web:example.com%2Fpath", "a host name alone"),
        ("did:web:localhost", "a host name alone"),
        ("did:web:127.0.0.1", "a host name alone"),
        ("did:web:example", "a host name alone"),
        ("did:web:-a.example.com", "a host name alone"),
        ("did:web:a..example.com", "a host name alone"),
        ("did:web:" + ".".join(["a" * 60] * 5) + ".com", "a host name alone"),
        ("did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc", "begin with did:plc: or did:web:"),
        ("did:plc:ewvi7nxzyoun6zhxrhs64oiz\n", "not a valid did"),
        ("did:plc:", "not a valid did"),
        ("did:web:", "not a valid did"),
        ("alice.example.com", "not a valid did"),
        ("", "not a valid did"),
    ],
)
def test_a_did_that_no_account_can_have_is_refused_with_the_reason(text: str, message: str) -> None:
    assert not is_account_did(text)
    with pytest.raises(InvalidSyntax, match=message):
        parse_account_did(text)


def test_localhost_with_a_port_is_an_account_only_where_servers_run_on_this_machine() -> None:
    local = "did:web:localhost%3A1234"
    assert not is_account_did(local)
    assert is_account_did(local, loopback=True)
    for other in ("did:web:localhost", "did:web:localhost%3A", "did:web:127.0.0.1%3A1", "did:web:a.example.com%3A1"):
        assert not is_account_did(other, loopback=True)
    assert is_did(local)  # what the stream says is stored
