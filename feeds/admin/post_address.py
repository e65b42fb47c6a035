"""The address of a post as people have it: a link to an app, or an at-uri, by did or by handle."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from atsite.core.atproto.aturi import SCHEME, AtUri
from atsite.core.atproto.syntax import Did, Nsid, Rkey, is_did, is_handle, is_rkey
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import InvalidSyntax
from feeds.ranking import queries
from feeds.ranking.feed import POST

EXAMPLE: Final = "https://bsky.app/profile/HANDLE/post/RKEY"


def read(text: str) -> AtUri:
    """The post that `text` means. Raises InvalidSyntax, with a sentence for whoever typed it."""
    actor, collection, rkey = _parts(text.strip())
    if collection != POST or not is_rkey(rkey) or not (is_did(actor) or is_handle(actor)):
        raise InvalidSyntax(f"Enter the address of a post: {EXAMPLE}, or its at-uri.")
    did = actor if is_did(actor) else _did_of(actor)
    return AtUri(Did(did), Nsid(collection), Rkey(rkey))


def _parts(text: str) -> tuple[str, str, str]:
    """Actor, collection, record key; empty where `text` has another form."""
    if text.startswith(SCHEME):
        parts = text.removeprefix(SCHEME).split("/")
        return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")
    try:
        link = urlsplit(text)
    except ValueError:
        return "", "", ""
    match link.path.strip("/").split("/"):
        case ["profile", actor, "post", rkey] if link.scheme in ("http", "https"):
            return actor, POST, rkey
    return "", "", ""


def _did_of(handle: str) -> str:
    try:
        did = queries.did_of_handle(handle.lower())
    except ClickHouseError as error:
        raise InvalidSyntax(f"Nobody can tell now who {handle} is: use the did instead of the handle.") from error
    if did is None:
        raise InvalidSyntax(f"Nothing was heard of {handle} here: use the did instead of the handle.")
    return did
