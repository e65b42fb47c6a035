"""The members of a list (app.bsky.graph.list), read from the repo of its owner, within bounds.

A member is a record app.bsky.graph.listitem that names the list and an account. The PDS lists all such records of an
account by rkey, those of its other lists among them, so a list has as many pages as its owner has list items.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Did, Nsid, is_account_did, is_rkey, one_spelling
from atsite.core.config import config
from atsite.core.errors import AtsiteError, InvalidSyntax
from atsite.core.identity.account_server import SLOW, UPSTREAM, ServerFailed, refusal_of, server_of
from atsite.core.outgoing import Client
from atsite.core.pds import Pds, PdsError
from atsite.core.pds.client import PAGE_RECORDS
from indexer.index import pasted_identifiers

if TYPE_CHECKING:
    from collections.abc import Mapping

LIST: Final = Nsid("app.bsky.graph.list")
ITEM: Final = Nsid("app.bsky.graph.listitem")
EXAMPLE: Final = "https://bsky.app/profile/HANDLE/lists/RKEY"
#: A page of a hundred list items has 35 KB.
PAGE_BYTES: Final = 2_000_000
#: For all of it; a PDS takes milliseconds for a page.
READ_SECONDS: Final = 20.0
#: The longest cursor of a PDS that is used; it is a record key.
CURSOR_MAX: Final = 512
#: Characters of a list's name that are kept; its lexicon allows 64.
NAME_MAX: Final = 640


class NotAList(InvalidSyntax):
    """The text is not the address of a list; the message is for the person who wrote it."""


class TooManyItems(AtsiteError):
    """The owner of the list has more list items than are read."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account, and the at-uri of the record that puts it into the list."""

    did: Did
    uri: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """A part of a list. `cursor`: where the next part begins; "" for the last one, which may have no member."""

    uri: AtUri
    name: str
    purpose: str
    members: tuple[Member, ...]
    cursor: str


def list_in(text: str) -> pasted_identifiers.Record:
    """The list in `text`: an at-uri or the address of its page. Raises NotAList."""
    try:
        record = pasted_identifiers.record(text, pages=pasted_identifiers.PAGES)
    except pasted_identifiers.NotAnActor as error:
        raise NotAList(str(error)) from error
    if record is None or record.collection != LIST:
        raise NotAList(f"Enter the address of a list, such as {EXAMPLE}, or its at-uri.")
    return record


def read(record: pasted_identifiers.Record, *, cursor: str = "", pages: int) -> ListPage:
    """The members in the next `pages` pages of the owner's list items, newest first. Not for a coroutine.

    Raises ServerFailed: 404 without such an account or list, 502 for a PDS that does not answer as it should, 504 for
    one that is too slow.
    """
    return asyncio.run(_read(record, cursor, pages))


async def _read(record: pasted_identifiers.Record, cursor: str, pages: int) -> ListPage:
    try:
        async with asyncio.timeout(READ_SECONDS), Client(loopback=config.allow_loopback) as client:
            server = await server_of(client, record.actor)
            uri, pds = AtUri(server.did, LIST, record.rkey), Pds(client, server.endpoint)
            value = await pds.get_record(server.did, LIST, record.rkey)
            if value is None:
                raise ServerFailed("ListNotFound", "there is no such list", 404)
            members, cursor = await _members(pds, uri, cursor, pages)
    except TimeoutError as error:
        raise ServerFailed(SLOW, "the server (PDS) of this account is too slow", 504) from error
    except PdsError as error:
        raise refusal_of(error) from error
    return ListPage(uri, _text(value, "name"), _text(value, "purpose"), members, cursor)


async def _members(pds: Pds, uri: AtUri, cursor: str, pages: int) -> tuple[tuple[Member, ...], str]:
    """Each account once, as the newest item names it, and where the next page begins."""
    members: dict[Did, Member] = {}
    for _ in range(pages):
        body = await pds.list_records(uri.did, ITEM, cursor=cursor, max_bytes=PAGE_BYTES)
        found, cursor = _page(body, uri, before=cursor)
        for member in found:
            members.setdefault(member.did, member)
        if not cursor:
            break
    return tuple(members.values()), cursor


def read_all(record: pasted_identifiers.Record, *, pages: int) -> ListPage:
    """The whole list. Raises as `read`, and TooManyItems for an owner with more than `pages` pages of list items."""
    found = read(record, pages=pages)
    if found.cursor:
        raise TooManyItems(
            f"the owner of this list has more than {pages * PAGE_RECORDS:,} list items, and not so many are read"
        )
    return found


def _page(body: bytes, uri: AtUri, *, before: str) -> tuple[list[Member], str]:
    """The list's members in an answer of listRecords, and where the next page begins. Raises ServerFailed."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    records = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(records, list):
        raise ServerFailed(UPSTREAM, "the server (PDS) of this account does not list its records as it should", 502)
    cursor = answer.get("cursor") or ""
    if not records:
        return [], ""
    if not isinstance(cursor, str) or len(cursor) > CURSOR_MAX or (cursor and cursor == before):
        raise ServerFailed(UPSTREAM, "the server (PDS) of this account lists its records without an end", 502)
    return [member for record in records if (member := _member(record, uri)) is not None], cursor


def _member(record: object, uri: AtUri) -> Member | None:
    """None for an item of another list, and for one that no app would show."""
    if not isinstance(record, dict) or not isinstance(value := record.get("value"), dict):
        return None
    did, item = value.get("subject"), record.get("uri")
    prefix = f"at://{uri.did}/{ITEM}/"
    if value.get("list") != str(uri) or not isinstance(did, str) or not isinstance(item, str):
        return None
    if not item.startswith(prefix) or not is_rkey(item.removeprefix(prefix)):
        return None
    return Member(one_spelling(did), item) if is_account_did(did, loopback=config.allow_loopback) else None


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found[:NAME_MAX] if isinstance(found, str) else ""
