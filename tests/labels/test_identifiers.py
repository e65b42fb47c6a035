"""What people write when they mean an actor."""

from __future__ import annotations

import pytest

from labels.identifiers import NotAnActor, read, shown

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("alice.bsky.social", "alice.bsky.social"),
        ("  @Alice.Bsky.Social\n", "alice.bsky.social"),
        ("alice.bsky.social.", "alice.bsky.social"),
        ("\u202aalice.bsky.social\u202c", "alice.bsky.social"),
        ("\ufeff@alice.bsky.social\u200b", "alice.bsky.social"),
        (DID, DID),
        (f"at://{DID}", DID),
        (f"at://{DID}/app.bsky.feed.post/3k", DID),
        ("did:web:example.com", "did:web:example.com"),
        ("https://bsky.app/profile/alice.bsky.social", "alice.bsky.social"),
        ("http://bsky.app/profile/Alice.bsky.social/post/3k?ref=1#x", "alice.bsky.social"),
        (f"https://deer.social/profile/{DID}", DID),
        ("bsky.app/profile/alice.bsky.social", "alice.bsky.social"),
        ("https://bsky.app/profile/did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz", DID),
        ("https://bsky.app/profile/@alice.bsky.social", "alice.bsky.social"),
    ],
)
def test_handles_dids_and_addresses_of_profiles_name_an_actor(text: str, means: str) -> None:
    assert read(text) == means


@pytest.mark.parametrize(
    "text", ["alice", "alice bsky social", "https://bsky.app/search?q=x", "a@b@c", "🦋", "did:", "https://["]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(
        NotAnActor, match=r"neither a handle, nor a did, nor a profile address, such as alice\.bsky\.social"
    ):
        read(text)


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_nothing_is_asked_for(text: str) -> None:
    with pytest.raises(NotAnActor, match="Enter a handle"):
        read(text)


def test_a_long_text_is_repeated_in_part() -> None:
    assert shown("x" * 3_000) == "x" * 80 + "…"
    with pytest.raises(NotAnActor) as caught:
        read("x" * 3_000)
    assert len(str(caught.value)) < 300
