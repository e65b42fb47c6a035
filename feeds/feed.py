"""What a feed is: a definition (data) and a kind (code) that answers pages of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from atsite.atproto.aturi import AtUri
from atsite.atproto.syntax import Nsid
from atsite.errors import AtsiteError

if TYPE_CHECKING:
    from atsite.atproto.syntax import Did, Rkey
    from feeds.cursor import Cursor

GENERATOR: Final = Nsid("app.bsky.feed.generator")
POST: Final = Nsid("app.bsky.feed.post")

#: Limits of getFeedSkeleton (lexicon app.bsky.feed.getFeedSkeleton).
LIMIT_MIN: Final = 1
LIMIT_MAX: Final = 100
LIMIT_DEFAULT: Final = 50

#: Parameters of a kind, by name; the kind says which it knows.
Parameters: TypeAlias = Mapping[str, int]


class InvalidDefinition(AtsiteError):
    """A feed cannot be served as it is defined; the message says what is wrong with it."""


class UnknownFeed(AtsiteError):
    """No feed of this site has this address."""


class FeedUnavailable(AtsiteError):
    """No page can be made now, and a later try may succeed: stores are away or busy."""


@dataclass(frozen=True, slots=True)
class FeedDefinition:
    """One published feed: `publisher` and `rkey` name it, `kind` and `parameters` say how its pages are made."""

    publisher: Did
    rkey: Rkey
    kind: str
    display_name: str
    description: str
    parameters: Parameters = field(default_factory=dict)

    @property
    def uri(self) -> AtUri:
        """The at-uri of the generator record in the publisher's repo."""
        return AtUri(self.publisher, GENERATOR, self.rkey)

    @property
    def key(self) -> str:
        """The feed's name in stores."""
        return f"{self.publisher}/{self.rkey}"


@dataclass(frozen=True, slots=True, order=True)
class PostKey:
    """A post; the order, descending, is newest first."""

    rkey: str
    did: str

    @property
    def uri(self) -> str:
        return f"at://{self.did}/{POST}/{self.rkey}"


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """What is asked: at most `limit` posts (1 to 100) from `cursor` on, for `viewer` (None: somebody not logged in)."""

    limit: int
    cursor: Cursor | None = None
    viewer: Did | None = None


@dataclass(frozen=True, slots=True)
class SkeletonPost:
    """One entry of a page: the at-uri of a post."""

    post: str


@dataclass(frozen=True, slots=True)
class FeedPage:
    """At most `limit` posts, and where the next page begins; no cursor: this is the end, as is a page without posts."""

    posts: tuple[SkeletonPost, ...] = ()
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class FeedDescription:
    """What is said of a feed to those who look for one."""

    uri: AtUri
    display_name: str
    description: str


class Feed(Protocol):
    """One published feed. The same cursor gives the same page until the data changes."""

    @property
    def definition(self) -> FeedDefinition: ...

    @property
    def depends_on_viewer(self) -> bool:
        """Whether its pages differ from reader to reader, so that nobody gets one before it is known who reads."""

    def page(self, request: FeedRequest) -> FeedPage:
        """Raises InvalidCursor for a cursor this feed never gave, FeedUnavailable when no page can be made now."""

    def describe(self) -> FeedDescription: ...


def describe(definition: FeedDefinition) -> FeedDescription:
    """The description that follows from the definition alone."""
    return FeedDescription(definition.uri, definition.display_name, definition.description)
