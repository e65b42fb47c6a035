"""What a feed is: a definition (data) and a kind (code) that answers pages of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Nsid
from atsite.core.errors import AtsiteError, InvalidSyntax

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from atsite.core.atproto.syntax import Did, Rkey
    from feeds.ranking.cursor import Cursor

GENERATOR: Final = Nsid("app.bsky.feed.generator")
POST: Final = Nsid("app.bsky.feed.post")

#: Limits of getFeedSkeleton (lexicon app.bsky.feed.getFeedSkeleton).
LIMIT_MIN: Final = 1
LIMIT_MAX: Final = 100
LIMIT_DEFAULT: Final = 50

#: The parameter that names the label whose carriers are a feed's members.
LABEL: Final = "label"

#: Parameters of a kind, by name; the kind says which it knows.
Parameters: TypeAlias = Mapping[str, Any]


class InvalidDefinition(AtsiteError):
    """A feed cannot be served as it is defined; the message says what is wrong with it."""


class UnknownFeed(AtsiteError):
    """No feed of this site has this address."""


class FeedUnavailable(AtsiteError):
    """No page can be made now, and a later try may succeed: stores are away or busy."""


class RankingPending(FeedUnavailable):
    """The ranking of this feed is being made. `made` ends with it: None, or why it could not be made."""

    def __init__(self, made: Future[FeedUnavailable | None]) -> None:
        super().__init__("the ranking of this feed is being made, try again in a moment")
        self.made = made


@dataclass(frozen=True, slots=True, order=True)
class PostKey:
    """A post; the order, descending, is newest first."""

    rkey: str
    did: str

    @property
    def uri(self) -> str:
        return f"at://{self.did}/{POST}/{self.rkey}"

    @classmethod
    def of(cls, uri: AtUri) -> Self:
        """Raises InvalidSyntax where `uri` is the address of something else than a post."""
        if uri.collection != POST:
            raise InvalidSyntax(f"not the at-uri of a post: {uri}")
        return cls(uri.rkey, uri.did)


@dataclass(frozen=True, slots=True)
class Definition:
    """One published feed, as kinds see it (its row: feeds.models.FeedDefinition).

    `publisher` and `rkey` name it, `kind` and `parameters` say how its pages are made.
    """

    publisher: Did
    rkey: Rkey
    kind: str
    display_name: str
    description: str
    parameters: Parameters = field(default_factory=dict)
    #: Only for those who carry the feed's label; everybody else gets the instructions post alone.
    private: bool = False
    instructions: PostKey | None = None
    #: Stands above the first page and nowhere else.
    pinned: PostKey | None = None
    #: What people put into the feed, in their order.
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
        """The label whose carriers are the feed's members; "" where it has none."""
        return str(self.parameters.get(LABEL, ""))


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """What is asked: at most `limit` posts (1 to 100) from `cursor` on, for `viewer` (None: someone not logged in)."""

    limit: int
    cursor: Cursor | None = None
    viewer: Did | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """The post stands above the feed (lexicon app.bsky.feed.defs#skeletonReasonPin)."""


@dataclass(frozen=True, slots=True)
class Repost:
    """The post stands where someone reposted it; `uri` is the repost's at-uri (#skeletonReasonRepost)."""

    uri: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """The post is all that this reader gets of a private feed; the skeleton knows no reason for that."""


Reason: TypeAlias = Pin | Repost | Instructions


@dataclass(frozen=True, slots=True)
class SkeletonPost:
    """One entry of a page: the at-uri of a post, and why it stands there where that is not its own place."""

    post: str
    reason: Reason | None = None


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
    def definition(self) -> Definition: ...

    @property
    def depends_on_viewer(self) -> bool:
        """Whether its pages differ from reader to reader, so that nobody gets one before it is known who reads."""

    def page(self, request: FeedRequest) -> FeedPage:
        """Raises InvalidCursor for a cursor this feed never gave, FeedUnavailable when no page can be made now."""

    def describe(self) -> FeedDescription: ...

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        """Why each of `posts` stands here, for people who preview the feed; those with no reason are left out.

        `moment`: when the order was made, unix microseconds. Raises ClickHouseError.
        """


def describe(definition: Definition) -> FeedDescription:
    """The description that follows from the definition alone."""
    return FeedDescription(definition.uri, definition.display_name, definition.description)
