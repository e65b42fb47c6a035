"""The HTTP endpoints of the search of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest  # noqa: TC002 - ninja reads the annotations
from ninja import Query, Router

from atsite.core import page_limits
from atsite.core.web.auth import Scope
from atsite.core.web.documented import example
from atsite.core.web.xrpc import XrpcError
from labels.blocks import blocked
from search.people import queries
from search.people.search import Search
from search.web.access import ACCESS_FAILURES, access
from search.web.did_parameter import did_parameter
from search.web.people_schemas import (
    FoundActor,
    SearchActorsAnswer,
    SearchActorsQuery,
    TypeAheadAnswer,
    TypeAheadQuery,
)  # fmt: skip

if TYPE_CHECKING:
    from search.people.asked import Asked

xrpc_router = Router(auth=access(Scope.SEARCH), tags=["search"])
router = Router(auth=access(Scope.SEARCH), tags=["search"])

#: More words than a display name has.
WORDS_MAX: Final = 10
CAROL: Final = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"


@xrpc_router.get(
    "/app.bsky.unspecced.searchActorsSkeleton",
    response={200: SearchActorsAnswer, **ACCESS_FAILURES},
    exclude_none=True,
    summary="Search accounts by handle or display name",
    openapi_extra=example(
        {"hitsTotal": 1, "actors": [{"did": CAROL}]}, scopes=(Scope.SEARCH,), anonymous=True, q="carol", limit=10
    ),
)
def search_actors_skeleton(request: HttpRequest, parameters: Query[SearchActorsQuery]) -> SearchActorsAnswer:
    """Accounts whose handle begins with `q`, or whose display name has words that begin with those of `q`.

    Case, width and Unicode form do not matter. Where fewer than 25 are found, words of four letters and more may also
    be one edit apart. With `viewer`, accounts that follow each other come first, then those that the viewer follows;
    those that block the viewer or are blocked are left out. Then the most followed come first. Without `viewer`,
    accounts that ask not to be shown to callers who are not signed in are left out.

    A cursor is valid for ten minutes; after that the next page is empty.
    """
    asked = _asked(parameters.q)
    if asked.is_empty:
        raise XrpcError("BadQueryString", "q: there is neither a letter nor a digit nor a sign to look for")
    search = Search(asked, did_parameter("viewer", parameters.viewer), blocked())
    if parameters.cursor is None:
        return SearchActorsAnswer.of(search.page(parameters.limit, walk=not parameters.typeahead))
    return SearchActorsAnswer.of(search.next_page(parameters.limit, parameters.cursor))


@router.get(
    "/actors/type_ahead",
    response={200: TypeAheadAnswer, **ACCESS_FAILURES},
    by_alias=True,
    exclude_none=True,
    summary="Complete the name of an account",
    openapi_extra=example(
        {"results": [{"did": CAROL, "handle": "carol.example", "displayName": "Carol", "score": 1204}]},
        scopes=(Scope.SEARCH,),
        anonymous=True,
        query="car",
    ),
)
def type_ahead(request: HttpRequest, parameters: Query[TypeAheadQuery]) -> TypeAheadAnswer:
    """At most 25 accounts for what was typed so far, with their names. Finds what `searchActorsSkeleton` finds.

    If nothing can be looked for yet, none.
    """
    search = Search(_asked(parameters.query), did_parameter("actorDid", parameters.actor_did), blocked())
    people = search.page(page_limits.SEARCH_DEFAULT, walk=False).people
    return TypeAheadAnswer(results=[FoundActor.of(person) for person in people])


def _asked(text: str) -> Asked:
    asked = queries.cut(text)
    if len(asked.words) + len(asked.runs) > WORDS_MAX:
        raise XrpcError("BadQueryString", f"q: at most {WORDS_MAX} words are looked for")
    return asked
