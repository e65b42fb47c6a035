"""An at-uri and the address of its page on bsky.app, each made from the other. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from atsite.core.atproto.aturi import SCHEME
from atsite.core.atproto.syntax import is_account_did, is_did, is_handle
from atsite.core.errors import InvalidSyntax
from indexer.index.pasted_identifiers import PAGES, NotAnActor, Record, actor, record, visible

if TYPE_CHECKING:
    from indexer.index.pasted_identifiers import Actor

APP: Final = "https://bsky.app"
EXAMPLES: Final = (
    "an at-uri, such as at://did:plc:…/app.bsky.feed.post/…, or an address of bsky.app, such as "
    "https://bsky.app/profile/alice.bsky.social/post/…"
)
#: Records that bsky.app shows as the profile of their account.
PROFILES: Final = {("app.bsky.actor.profile", "self"), ("app.bsky.labeler.service", "self")}
_PAGE_OF: Final = {collection: page for page, collection in PAGES.items()}


class NotAnAddress(InvalidSyntax):
    """The text is neither an at-uri nor an address of bsky.app; the message is for the person who wrote it."""


def is_at_uri_or_name(text: str) -> bool:
    """Whether `text` is meant as an at-uri, a did or a handle, and not as the address of a page."""
    bare = visible(text).removeprefix("@")
    return bare.lower().startswith(SCHEME) or is_did(bare) or is_handle(bare)


def read(text: str) -> Actor | Record:
    """The account or record that `text` names. Raises NotAnAddress."""
    try:
        found: Actor | Record | None = record(text, pages=PAGES)
        if found is None and _names_only_an_account(visible(text)):
            found = actor(text)
    except NotAnActor as error:
        raise NotAnAddress(f"q: {error}") from error
    if found is None:
        raise NotAnAddress(f"q: give {EXAMPLES}")
    who = found.actor if isinstance(found, Record) else found
    if is_did(who) and not is_account_did(who, loopback=True):
        raise NotAnAddress("q: no account can have this did")
    return found


def page_of(found: Actor | Record) -> str:
    """The address on bsky.app. Raises NotAnAddress for a record that has no page there."""
    if not isinstance(found, Record):
        return f"{APP}/profile/{_part(found)}"
    name, rkey = _part(found.actor), _part(found.rkey)
    page = _PAGE_OF.get(found.collection)
    if page == "starter-pack":
        return f"{APP}/starter-pack/{name}/{rkey}"
    if page is not None:
        return f"{APP}/profile/{name}/{page}/{rkey}"
    if (found.collection, found.rkey) in PROFILES:
        return f"{APP}/profile/{name}"
    raise NotAnAddress(f"q: bsky.app has no page for records of {found.collection}")


def _names_only_an_account(text: str) -> bool:
    """Not so a record without a page, a collection, or a page of another kind."""
    if text.lower().startswith(SCHEME):
        return "/" not in text[len(SCHEME) :].split("?")[0].split("#")[0].rstrip("/")
    if is_at_uri_or_name(text):
        return True
    try:
        steps = urlsplit(text if "://" in text else f"https://{text}").path.strip("/").split("/")
    except ValueError:
        return False
    return len(steps) == 2 and steps[0] == "profile"


def _part(text: str) -> str:
    """A part of a path: a did may have a percent sign of its own."""
    return quote(text, safe=":")
