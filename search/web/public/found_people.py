"""People of a search as the public page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from django.urls import reverse

from atsite.core.errors import AtsiteError
from labels.blocks import blocked
from search.people import queries
from search.people.search import Search
from search.web.people import WORDS_MAX
from search.web.people_schemas import Q_MAX
from search.web.public import words
from search.web.public.words import APP

if TYPE_CHECKING:
    from search.people.persons import Person

#: People of a page.
LIMIT: Final = 25


class BadName(AtsiteError):
    """Nobody can be looked for with this text; the message says why."""


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A person. `profile`: in the app; `posts`: a search for their posts."""

    name: str
    handle: str
    followers: str
    profile: str
    posts: str


@dataclass(frozen=True, slots=True)
class FoundPeople:
    people: list[ShownPerson]
    cursor: str | None
    total: int | None


def find(q: str, *, cursor: str | None) -> FoundPeople:
    """The people whose handle or name begins with the words. Raises BadName, InvalidCursor, ClickHouseError."""
    if len(q) > Q_MAX:
        raise BadName(f"at most {Q_MAX} characters are looked for")
    asked = queries.cut(q)
    if len(asked.words) + len(asked.runs) > WORDS_MAX:
        raise BadName(f"at most {WORDS_MAX} words are looked for")
    if asked.is_empty:
        raise BadName("there is neither a letter nor a digit to look for: enter the beginning of a name or handle")
    search = Search(asked, None, blocked())
    page = search.page(LIMIT, walk=True) if cursor is None else search.next_page(LIMIT, cursor)
    return FoundPeople([_person(each) for each in page.people], page.cursor, page.total)


def _person(person: Person) -> ShownPerson:
    return ShownPerson(
        name=person.name or person.handle or person.did,
        handle=person.handle,
        followers=words.count(person.followers, "follower") if person.followers else "",
        profile=f"{APP}/{quote(person.did, safe=':')}",
        posts=f"{reverse('public:posts')}?{urlencode({'q': f'from:{person.handle or person.did}'})}",
    )
