"""Parameters and answers of the search of people, in camelCase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ninja import Field, Schema

from atsite.core import page_limits
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations
from search.web.camel import Camel

if TYPE_CHECKING:
    from search.people.persons import Person
    from search.people.search import Page

#: Maximum length of a query in characters: longer than any handle, and than any display name of the lexicon.
Q_MAX = 300
DID_MAX = 2_048


class SearchActorsQuery(Schema):
    """Parameters of app.bsky.unspecced.searchActorsSkeleton (its lexicon)."""

    q: str = Field(max_length=Q_MAX, description="the beginning of a handle, or of words of a display name")
    viewer: str | None = Field(None, max_length=DID_MAX, description="did of the account that searches")
    typeahead: bool = Field(False, description="only the first page is wanted: it has no cursor")
    limit: WholeNumber = Field(
        page_limits.SEARCH_DEFAULT, ge=1, le=page_limits.SEARCH_MAX, description="the most accounts of a page"
    )
    cursor: str | None = Field(None, description="the `cursor` of the page before; none: the first page")


class SkeletonActor(Schema):
    did: str


class SearchActorsAnswer(Schema):
    """A page of accounts; the last one has no `cursor`. `hitsTotal` is given if the page has all of them."""

    cursor: str | None = None
    hitsTotal: int | None = None
    actors: list[SkeletonActor]

    @classmethod
    def of(cls, page: Page) -> Self:
        return cls(
            cursor=page.cursor, hitsTotal=page.total, actors=[SkeletonActor(did=each.did) for each in page.people]
        )


class TypeAheadQuery(Camel):
    query: str = Field(max_length=Q_MAX, description="what was typed so far; a leading @ is passed over")
    actor_did: str | None = Field(None, max_length=DID_MAX, description="did of the account that types")


class FoundActor(Camel):
    """An account. What is not known is left out; `avatar` is the cid of the picture, a blob of the account's repo."""

    did: str
    handle: str | None = None
    display_name: str | None = None
    avatar: str | None = None
    score: int = Field(description="its followers, as far as they are known here")

    @classmethod
    def of(cls, person: Person) -> Self:
        return cls(
            did=person.did,
            handle=person.handle or None,
            display_name=person.name or None,
            avatar=person.avatar or None,
            score=person.followers,
        )


class TypeAheadAnswer(Schema):
    """At most 25 accounts, the best first."""

    results: list[FoundActor]
