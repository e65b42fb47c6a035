"""The HTTP endpoints of the tools: addresses, exports of repos, members of lists."""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from ninja import Path, Query, Router

from atsite.core import cursor_format
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.config import config
from atsite.core.identity.account_server import ServerFailed
from atsite.core.web.auth import Scope, client_address, principal_of
from atsite.core.web.documented import example, failures
from atsite.core.web.xrpc import PRIVATE, XrpcError
from indexer.index import pasted_identifiers
from indexer.index.handles import names_of
from labels import network_lists
from labels.blocks import blocked
from search.tools import addresses, lookups, repo_export
from search.tools.places import NoPlace, Places
from search.web.access import tools_access
from search.web.tools_schemas import (
    ListAnswer,
    ListMember,
    ListQuery,
    RedirAnswer,
    RedirQuery,
    RepoPath,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from indexer.index.handles import Name

log = structlog.get_logger(__name__)
router = Router(auth=tools_access(), tags=["tools"])

#: Pages of a hundred list items that one call reads.
PAGES_AT_ONCE: Final = 10
LIST_KIND: Final = "tools.list"
JSON_LINES: Final = "application/jsonl"
#: When to try again where too much runs at once.
BUSY_SECONDS: Final = 60
ALICE: Final = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
POST: Final = f"at://{ALICE}/app.bsky.feed.post/3l6oveex3ii2l"
A_LIST: Final = f"at://{ALICE}/app.bsky.graph.list/3l6oveex3ii2a"
CID: Final = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
REPO: Final = "".join(
    f"{json.dumps(each, separators=(',', ':'))}\n"
    for each in (
        {"uri": POST, "cid": CID, "value": {"$type": "app.bsky.feed.post", "text": "Cold brew season has begun."}},
        {"end": True, "rev": "3l6oveexabc2l", "records": 1},
    )
)
LIST: Final = {
    "uri": A_LIST,
    "name": "Roasters",
    "purpose": "app.bsky.graph.defs#curatelist",
    "members": [{"did": ALICE, "handle": "alice.example.com", "uri": f"at://{ALICE}/app.bsky.graph.listitem/3l6ovef"}],
}
_repos: Final = Places(lambda: config.tools.at_once)
_reads: Final = Places(lambda: config.tools.at_once)


@router.get(
    "/redir",
    response={200: RedirAnswer, 302: None, **failures(400, 401, 403, 404, 429, 502, 503)},
    summary="Turn an at-uri into an address of bsky.app, and back",
    openapi_extra=example(
        {"uri": POST},
        scopes=(Scope.TOOLS,),
        anonymous=True,
        q="https://bsky.app/profile/alice.example.com/post/3l6oveex3ii2l",
    ),
)
def redir(request: HttpRequest, parameters: Query[RedirQuery]) -> RedirAnswer | HttpResponseRedirect:
    """An at-uri, a did or a handle is redirected (302) to its page on bsky.app, and never to another host.

    An address of bsky.app, or of an app with the same paths, is answered as JSON with its at-uri: of an account, a
    post, a feed, a list or a starter pack. Its handle is looked up in the network. Whether the record exists is not
    checked.
    """
    try:
        found = addresses.read(parameters.q)
        if addresses.is_at_uri_or_name(parameters.q):
            return HttpResponseRedirect(addresses.page_of(found))
    except addresses.NotAnAddress as error:
        raise XrpcError("InvalidRequest", str(error)) from error
    with _told(), _place(_reads, request):
        return RedirAnswer(uri=lookups.at_uri_of(found))


@router.get(
    "/repo/{did}",
    response={200: None, **failures(400, 401, 403, 404, 429, 502, 503, 504)},
    summary="Export a repo as JSON Lines",
    openapi_extra=example(REPO, scopes=(Scope.TOOLS,), anonymous=True, content_type=JSON_LINES, did=ALICE),
)
def repo(request: HttpRequest, path: Path[RepoPath]) -> StreamingHttpResponse:
    """All records of an account (a did or a handle), as its server (PDS) has them now, one JSON object on each line.

    A record is `{"uri", "cid", "value"}`, as in `com.atproto.repo.listRecords`; they come by ascending collection and
    record key. The signature of the repo and the hash of each record are checked. **The last line tells how it ended**:
    `{"end": true, "rev", "records"}` after the last record, or `{"error", "message"}` if something is wrong with the
    rest of the repo. An answer without such a last line was cut off.

    The export begins when the whole repo was downloaded. 404: no such account, or it is not active. 502: its server
    does not answer, sends a repo that is not valid (`InvalidRepo`), or one larger than this site reads (`TooLarge`).
    504: it is too slow. 429: the limit of calls, or of exports at once.
    """
    actor = _actor(path.did)
    hidden = blocked().dids
    with _told():
        give_back = _repos.take(_caller(request))
        try:
            export = repo_export.begin(actor, hidden, give_back)
        except OSError as error:
            log.warning("tools.no_file", error=type(error).__name__)
            raise XrpcError("NotEnoughResources", "there is no room for this repo now, try again later") from error
    return StreamingHttpResponse(_Body(export), content_type=JSON_LINES, headers={"Cache-Control": PRIVATE})


@router.get(
    "/list",
    response={200: ListAnswer, **failures(400, 401, 403, 404, 429, 502, 503, 504)},
    exclude_none=True,
    summary="The members of a list",
    openapi_extra=example(LIST, scopes=(Scope.TOOLS,), anonymous=True, uri=A_LIST),
)
def members_of_list(request: HttpRequest, parameters: Query[ListQuery]) -> ListAnswer:
    """The accounts of a list (app.bsky.graph.list), as the server (PDS) of its owner lists them now, the newest first.

    One call reads up to 1,000 list items of the owner, those of their other lists among them: a page may be short or
    empty, and there is more as long as there is a `cursor`. `handle` is given where this site knows it. Accounts that
    this site blocks everywhere are left out.
    """
    try:
        record = network_lists.list_in(parameters.uri)
    except network_lists.NotAList as error:
        raise XrpcError("InvalidRequest", f"uri: {error}") from error
    cursor = "" if parameters.cursor is None else cursor_format.decode(LIST_KIND, parameters.cursor, str)[0]
    hidden = blocked()
    with _told(), _place(_reads, request):
        page = network_lists.read(record, cursor=cursor, pages=PAGES_AT_ONCE)
    if str(page.uri) in hidden:
        raise XrpcError("ListNotFound", "there is no such list", 404)
    found = [member for member in page.members if member.did not in hidden.dids]
    names = _names({member.did for member in found})
    following = cursor_format.encode(LIST_KIND, page.cursor) if page.cursor else None
    return ListAnswer.of(page, [ListMember.of(member, names) for member in found], following)


class _Body:
    """The pieces of an export, for one reader; Django closes it when the answer ends or its reader is gone."""

    def __init__(self, export: repo_export.Export) -> None:
        self._export = export

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            piece = self._export.first
            while piece:
                yield piece
                piece = await asyncio.to_thread(self._export.piece)
        finally:
            self.close()

    def close(self) -> None:
        """End the export."""
        self._export.close()


def _actor(text: str) -> pasted_identifiers.Actor:
    try:
        return pasted_identifiers.actor(text)
    except pasted_identifiers.NotAnActor as error:
        raise XrpcError("InvalidRequest", f"did: {error}") from error


def _caller(request: HttpRequest) -> str:
    """The key, or the address of a caller without one."""
    return principal_of(request).subject or client_address(request)


def _names(dids: set[str]) -> Mapping[str, Name]:
    """Without the store, an answer has no handles."""
    try:
        return names_of(dids)
    except ClickHouseError as error:
        log.warning("tools.no_names", error=type(error).__name__)
        return {}


@contextmanager
def _place(places: Places, request: HttpRequest) -> Iterator[None]:
    """A place for a block. Raises NoPlace."""
    give_back = places.take(_caller(request))
    try:
        yield
    finally:
        give_back()


@contextmanager
def _told() -> Iterator[None]:
    """What the tools raise, as XrpcError."""
    try:
        yield
    except NoPlace as error:
        raise XrpcError("RateLimitExceeded", str(error), headers={"Retry-After": str(BUSY_SECONDS)}) from error
    except ServerFailed as error:
        headers = {"Retry-After": str(math.ceil(error.wait))} if error.wait else {}
        raise XrpcError(error.name, str(error), error.status, headers=headers) from error
