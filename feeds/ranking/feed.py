"""What a feed is: a definition (data) and a kind (code) that makes its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Nsid
from atsite.core.errors import AtsiteError
from indexer.index.posts.post_key import POST as POST
from indexer.index.posts.post_key import PostKey as PostKey  # noqa: TC001 - importers use it at run time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from atsite.core.atproto.syntax import Did, Rkey
    from feeds.ranking.cursor import Cursor

GENERATOR: Final = Nsid("app.bsky.feed.generator")

#: The parameter with the label of a feed: the actors with this label are its members.
LABEL: Final = "label"

#: Parameters of a kind, by name; the kind defines which there are.
Parameters: TypeAlias = Mapping[str, Any]


class InvalidDefinition(AtsiteError):
    """A feed cannot be served as defined; the message says what is wrong."""


class UnknownFeed(AtsiteError):
    """This site has no feed with this address."""


class FeedUnavailable(AtsiteError):
    """No page can be made now; a later try may succeed: stores are down or busy."""


class RankingPending(FeedUnavailable):
    """The ranking of this feed is being made. `made` ends with it: None, or why it could not be made."""

    def __init__(self, made: Future[FeedUnavailable | None]) -> None:
        super().__init__("the ranking of this feed is being made, try again in a moment")
        self.made = made


@dataclass(frozen=True, slots=True)
class Definition:
    """One feed, as kinds see it (its row: feeds.models.FeedDefinition).

    `publisher` and `rkey` identify it; `kind` and `parameters` define how its pages are made.
    """

    publisher: Did
    rkey: Rkey
    kind: str
    display_name: str
    description: str
    parameters: Parameters = field(default_factory=dict)
    #: Only actors with the feed's label can read it; everyone else gets only the instructions post.
    private: bool = False
    instructions: PostKey | None = None
    #: Shown above the first page and nowhere else.
    pinned: PostKey | None = None
    #: The chosen posts of the feed, in their order.
    posts: tuple[PostKey, ...] = ()

    @property
    def uri(self) -> AtUri:
        """The at-uri of the generator record in the publisher's repo."""
        return AtUri(self.publisher, GENERATOR, self.rkey)

    @property
    def key(self) -> str:
        """The feed's name in stores."""
        return f"{self.publisher}/{self.rkey}"

    @property
    def label(self) -> str:
        """The label of the feed's members; "" if it has none."""
        return str(self.parameters.get(LABEL, ""))


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """A request for at most `limit` posts (1 to 100) from `cursor` on, by `viewer` (None: not logged in)."""

    limit: int
    cursor: Cursor | None = None
    viewer: Did | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """The post is pinned above the feed (lexicon app.bsky.feed.defs#skeletonReasonPin)."""


@dataclass(frozen=True, slots=True)
class Repost:
    """The post is in the feed as a repost; `uri` is the repost's at-uri (#skeletonReasonRepost)."""

    uri: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """The post is all that this reader gets of a private feed; the lexicon has no reason for that."""


Reason: TypeAlias = Pin | Repost | Instructions


@dataclass(frozen=True, slots=True)
class SkeletonPost:
    """One entry of a page: the at-uri of a post, and a reason if it is not there in its own right."""

    post: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """At most `limit` posts, and the cursor of the next page; no cursor, or no posts, means the end."""

    posts: tuple[SkeletonPost, ...] = ()
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class FeedDescription:
    """The public description of a feed."""

    uri: AtUri
    display_name: str
    description: str


class Feed(Protocol):
    """One feed. The same cursor gives the same page until the data changes."""

    @property
    def definition(self) -> Definition: ...

    @property
    def depends_on_viewer(self) -> bool:
        """Whether its pages differ from reader to reader, so the reader must be known before a page is made."""

    def page(self, request: FeedRequest) -> FeedPage:
        """A page. Raises InvalidCursor for a cursor that this feed did not give out, FeedUnavailable."""

    def describe(self) -> FeedDescription: ...

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        """Why each of `posts` is in the feed, for its preview; posts without a reason are left out.

        `moment`: when the order was made, unix microseconds. Raises ClickHouseError.
        """


def describe(definition: Definition) -> FeedDescription:
    """The description of a definition."""
    return FeedDescription(definition.uri, definition.display_name, definition.description)
