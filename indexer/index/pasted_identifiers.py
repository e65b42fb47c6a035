"""An actor or a record as people type or paste it: a handle, a did, an at-uri, or a link to a page of an app. PURE.

Every form and parameter for an actor or a post uses this module. It only parses the text; `indexer.index.handles` finds
the actor of a handle in the index, and `identity` in the network.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from atsite.core.atproto.aturi import SCHEME
from atsite.core.atproto.syntax import (
    INVALID_HANDLE,
    Did,
    Handle,
    Nsid,
    Rkey,
    is_did,
    is_handle,
    is_nsid,
    is_rkey,
    one_spelling,
)
from atsite.core.errors import InvalidSyntax
from indexer.index.posts.post_key import POST

if TYPE_CHECKING:
    from collections.abc import Mapping

Actor: TypeAlias = "Did | Handle"

EXAMPLES: Final = "alice.bsky.social, did:plc:… or https://bsky.app/profile/alice.bsky.social"
#: How many characters of an invalid text a message repeats.
_SHOWN: Final = 80
#: What the part after the actor in an address of an app names; a starter pack has the actor after it.
POSTS: Final = {"post": POST}
PAGES: Final = {
    **POSTS,
    "feed": Nsid("app.bsky.feed.generator"),
    "lists": Nsid("app.bsky.graph.list"),
    "starter-pack": Nsid("app.bsky.graph.starterpack"),
}
_HAS_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
#: Variation selectors, which have no glyph of their own.
_VARIATIONS: Final = frozenset(chr(code) for code in range(0xFE00, 0xFE10))


_NO_NAME: Final = f"{INVALID_HANDLE} names no account: it stands for a handle that could not be verified. Use the did."


class NotAnActor(InvalidSyntax):
    """The text is not an actor, or the actor cannot be found; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record, by did or by handle."""

    actor: Actor
    collection: Nsid
    rkey: Rkey


def actor(text: str, *, otherwise: str = "") -> Actor:
    """The did in its one spelling, or the handle in lower case, in `text`; of an address or at-uri, its actor.

    Raises NotAnActor with the message `otherwise` (default: a message with examples) for any other text.
    """
    bare = visible(text)
    found = _actor(_parts(bare)[0] or bare)
    if found is not None:
        return found
    if otherwise:
        raise NotAnActor(otherwise)
    if not bare:
        raise NotAnActor(f"Enter a handle, a did or a profile address, such as {EXAMPLES}.")
    raise NotAnActor(f"“{shown(bare)}” is not a handle, a did or a profile address, such as {EXAMPLES}.")


def record(text: str, *, pages: Mapping[str, Nsid] = POSTS) -> Record | None:
    """The record in `text` (an at-uri, or a link to a post in an app); None if there is none.

    `pages`: which links name a record; with PAGES also those to feeds, lists and starter packs. Raises NotAnActor for
    handle.invalid.
    """
    named, collection, rkey = _parts(visible(text), pages)
    found = _actor(named)
    if found is None or not is_nsid(collection) or not is_rkey(rkey):
        return None
    return Record(found, collection, rkey)


def search_term(text: str) -> str:
    """The search term: the actor of an address or at-uri, or any other text unchanged, without a leading @."""
    bare = visible(text)
    if is_did(bare):
        return bare  # as the stream may have spelled it
    try:
        return _actor(_parts(bare)[0]) or bare.removeprefix("@")
    except NotAnActor:
        return INVALID_HANDLE


def visible(text: str) -> str:
    """`text` without invisible characters that come with copying: direction marks, joiners, surrounding spaces."""
    kept = (char for char in text if unicodedata.category(char) != "Cf" and char not in _VARIATIONS)
    return "".join(kept).strip()


def shown(text: str) -> str:
    """The first characters of a text, for a message."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _actor(name: str) -> Actor | None:
    """None for any other text. Raises NotAnActor for handle.invalid."""
    name = name.removeprefix("@")
    if not is_did(name):
        name = visible(unquote(name)).removeprefix("@")
    if is_did(name):
        return one_spelling(name)
    name = name.lower().rstrip(".")
    if name == INVALID_HANDLE:
        raise NotAnActor(_NO_NAME)
    return name if is_handle(name) else None


def _parts(text: str, pages: Mapping[str, Nsid] = POSTS) -> tuple[str, str, str]:
    """Actor, collection and record key of at://ACTOR/… or [https://]HOST/profile/ACTOR/…; "" for what is not there."""
    try:
        link = urlsplit(text if _HAS_SCHEME.match(text) else f"https://{text}")
    except ValueError:
        return "", "", ""
    if link.scheme == "at":
        # Split by hand: the part before the first slash is not a host, and may contain colons.
        path = re.split(r"[?#]", text[len(SCHEME) :])[0].rstrip("/").split("/")
        return (path[0], path[1], path[2]) if len(path) == 3 else (path[0], "", "")
    match link.path.split("/"):
        case ["", "profile", name, page, rkey, *_] if page in pages and link.scheme in ("http", "https"):
            return name, pages[page], unquote(rkey)
        case ["", "starter-pack" as page, name, rkey, *_] if page in pages and link.scheme in ("http", "https"):
            return name, pages[page], unquote(rkey)
        case ["", "profile", name, *_] if link.scheme in ("http", "https"):
            return name, "", ""
    return "", "", ""
