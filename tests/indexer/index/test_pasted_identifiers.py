"""What people type and paste when they mean an actor or a post."""

from __future__ import annotations

import pytest

from indexer.index import pasted_identifiers
from indexer.index.pasted_identifiers import NotAnActor, shown

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
ALICE = "alice.bsky.social"
POST = "app.bsky.feed.post"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (ALICE, ALICE),
        ("  @Alice.Bsky.Social\n", ALICE),
        ("alice.bsky.social.", ALICE),
        ("\u202aalice.bsky.social\u202c", ALICE),
        ("\ufeff@alice.bsky.social\u200b", ALICE),
        ("\u2068@\u2060alice.bsky.social\u2069", ALICE),
        ("\u00a0\u200e\u202falice.bsky.social\u2007\u200f\u00a0", ALICE),
        ("@alice.bsky.social\ufe0f", ALICE),
        (DID, DID),
        (f"@{DID}", DID),
        (f"\u202a{DID}\u202c", DID),
        (f"at://{DID}", DID),
        (f"at://{DID}/", DID),
        (f"at://{DID}?x=1", DID),
        (f"at://{DID}/app.bsky.feed.post/3k", DID),
        ("at://did:web:localhost%3A3000/app.bsky.feed.post/3k", "did:web:localhost%3A3000"),
        ("at://@Alice.Bsky.Social", ALICE),
        ("did:web:example.com", "did:web:example.com"),
        ("did:web:Alice.Example.com", "did:web:alice.example.com"),
        ("https://bsky.app/profile/did:web:Alice.Example.com/post/3k", "did:web:alice.example.com"),
        ("https://bsky.app/profile/alice.bsky.social", ALICE),
        ("http://bsky.app/profile/Alice.bsky.social/post/3k?ref=1#x", ALICE),
        ("HTTPS://BSKY.APP/profile/alice.bsky.social/", ALICE),
        ("https://bsky.app/profile/alice.bsky.social#top", ALICE),
        (f"https://deer.social/profile/{DID}", DID),
        ("bsky.app/profile/alice.bsky.social", ALICE),
        ("bsky.app/profile/alice.bsky.social/?ref=https://example.com/", ALICE),
        ("https://bsky.app/profile/did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz", DID),
        ("https://bsky.app/profile/@alice.bsky.social", ALICE),
        ("https://bsky.app/profile/%E2%80%AAalice.bsky.social%E2%80%AC", ALICE),
        ("\u202ahttps://bsky.app/profile/\u202aalice.bsky.social\u202c\u202c", ALICE),
    ],
)
def test_handles_dids_and_addresses_of_profiles_name_an_actor(text: str, means: str) -> None:
    assert pasted_identifiers.actor(text) == means
    assert pasted_identifiers.search_term(text).lower().rstrip(".") == means.lower()


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "alice bsky social",
        "alice.bsky.social\u00a0bob.bsky.social",
        "https://bsky.app/search?q=x",
        "a@b@c",
        "🦋",
        "did:",
        "https://[",
        "at://",
        "ftp://bsky.app/profile/alice.bsky.social",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NotAnActor, match=r"not a handle, a did or a profile address, such as alice\.bsky\.social"):
        pasted_identifiers.actor(text)


@pytest.mark.parametrize(
    "text",
    ["handle.invalid", "@Handle.Invalid.", "\u202ahandle.invalid\u202c", "bsky.app/profile/handle.invalid/post/3k"],
)
def test_handle_invalid_names_no_account(text: str) -> None:
    with pytest.raises(NotAnActor, match=r"handle\.invalid names no account"):
        pasted_identifiers.actor(text, otherwise="another form")
    assert pasted_identifiers.search_term(text) in ("handle.invalid", "Handle.Invalid.")


def test_nor_does_it_name_a_record() -> None:
    for text in (f"at://handle.invalid/{POST}/3k", "https://bsky.app/profile/handle.invalid/post/3k"):
        with pytest.raises(NotAnActor, match=r"handle\.invalid names no account"):
            pasted_identifiers.record(text)


def test_a_door_may_have_its_own_sentence() -> None:
    with pytest.raises(NotAnActor, match=r"^neither$"):
        pasted_identifiers.actor("x", otherwise="neither")


@pytest.mark.parametrize("text", ["", "  \n", "\u200b", "\u202a\u00a0\u202c"])
def test_nothing_is_asked_for(text: str) -> None:
    with pytest.raises(NotAnActor, match="Enter a handle"):
        pasted_identifiers.actor(text)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (f"at://{DID}/{POST}/3k", (DID, POST, "3k")),
        (f"\u202aat://{DID}/{POST}/3k\u202c", (DID, POST, "3k")),
        (f"at://{DID}/{POST}/3k/", (DID, POST, "3k")),
        (f"at://{DID}/{POST}/3k#x", (DID, POST, "3k")),
        (f"at://Alice.Bsky.Social/{POST}/3k", (ALICE, POST, "3k")),
        (f"at://{DID}/app.bsky.graph.list/3k", (DID, "app.bsky.graph.list", "3k")),
        ("https://bsky.app/profile/Alice.bsky.social/post/3k", (ALICE, POST, "3k")),
        ("bsky.app/profile/alice.bsky.social/post/3k", (ALICE, POST, "3k")),
        (f"https://bsky.app/profile/{DID}/post/3k/", (DID, POST, "3k")),
        (f"https://bsky.app/profile/{DID}/post/3k/liked-by?ref=1#x", (DID, POST, "3k")),
        (f"\u00a0\u202ahttps://bsky.app/profile/{DID}/post/3k\u202c", (DID, POST, "3k")),
    ],
)
def test_at_uris_and_links_name_a_record(text: str, means: tuple[str, str, str]) -> None:
    found = pasted_identifiers.record(text)
    assert found is not None
    assert (found.actor, found.collection, found.rkey) == means


@pytest.mark.parametrize(
    "text",
    [
        "",
        ALICE,
        DID,
        f"at://{DID}",
        f"at://{DID}/{POST}",
        f"at://{DID}/{POST}/3k/more",
        f"at://{DID}/post/3k",
        f"at://me/{POST}/3k",
        f"at://{DID}/{POST}/a b",
        "https://bsky.app/profile/alice.bsky.social",
        "https://bsky.app/profile/alice.bsky.social/feed/3k",
        "https://bsky.app/profile/alice.bsky.social/post/",
        "https://bsky.app/profile/alice/post/3k",
        "https://[",
    ],
)
def test_anything_else_names_no_record(text: str) -> None:
    assert pasted_identifiers.record(text) is None


@pytest.mark.parametrize(
    ("text", "means"),
    [("ali", "ali"), (" @Ali\u200b", "Ali"), ("did:plc:ew", "did:plc:ew"), ("50 % / day", "50 % / day"), ("", "")],
)
def test_a_search_term_may_be_the_beginning_of_anything(text: str, means: str) -> None:
    assert pasted_identifiers.search_term(text) == means


def test_a_long_text_is_repeated_in_part() -> None:
    assert shown("x" * 3_000) == "x" * 80 + "…"
    with pytest.raises(NotAnActor) as caught:
        pasted_identifiers.actor("x" * 3_000)
    assert len(str(caught.value)) < 300
