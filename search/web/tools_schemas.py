"""Parameters and answers of the tools, in camelCase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ninja import Field, Schema

from atsite.core.cursor_format import CURSOR_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.index.handles import Name
    from labels.network_lists import ListPage, Member

#: Characters of an address: an at-uri with the longest usual did has 600.
ADDRESS_MAX = 2_000


class RedirQuery(Schema):
    q: str = Field(max_length=ADDRESS_MAX, description="an at-uri, a did, a handle, or an address of bsky.app")


class RedirAnswer(Schema):
    """The at-uri of what an address shows."""

    uri: str


class RepoPath(Schema):
    did: str = Field(max_length=ADDRESS_MAX, description="the did or handle of an account")


class ListQuery(Schema):
    uri: str = Field(max_length=ADDRESS_MAX, description="the at-uri of a list, or its address on bsky.app")
    cursor: str | None = Field(
        None, max_length=CURSOR_MAX, description="the `cursor` of the page before; none: the first page"
    )


class ListMember(Schema):
    """An account of a list. `uri`: the record that names it. `handle`: as far as it is known here."""

    did: str
    handle: str | None = None
    uri: str

    @classmethod
    def of(cls, member: Member, names: Mapping[str, Name]) -> Self:
        known = names.get(member.did)
        return cls(did=member.did, handle=known.handle or None if known else None, uri=member.uri)


class ListAnswer(Schema):
    """A part of a list; the last one has no `cursor`. A part may have no member."""

    uri: str
    name: str
    purpose: str
    members: list[ListMember]
    cursor: str | None = None

    @classmethod
    def of(cls, page: ListPage, members: list[ListMember], cursor: str | None) -> Self:
        return cls(uri=str(page.uri), name=page.name, purpose=page.purpose, members=members, cursor=cursor)
