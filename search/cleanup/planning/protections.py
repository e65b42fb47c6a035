"""What the rules protect: pinned and self-liked posts, texts, domains, likes and replies. PURE."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

from atsite.core.atproto.aturi import SCHEME, is_at_uri
from search.cleanup.planning.reasons import Reason
from search.cleanup.planning.record_links import NoHost, hosts_of_links, is_within
from search.cleanup.planning.record_types import LIKE, POST, NotUnderstood, parent_of, types_of, uri_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from search.cleanup.planning.rules import Rules

PROFILE: Final = "app.bsky.actor.profile"
_BY_DID: Final = f"{SCHEME}did:"


class RepoRecord(NamedTuple):
    """One record of a repo: `value` is the decoded record, which may be anything."""

    collection: str
    rkey: str
    cid: str
    value: object

    @property
    def path(self) -> str:
        """collection/rkey, which is unique in a repo."""
        return f"{self.collection}/{self.rkey}"


class PostCounts(NamedTuple):
    """The AppView's likeCount and replyCount of a post."""

    likes: int
    replies: int


def own_path(uri: object, did: str) -> str | None:
    """The collection/rkey of a record of this repo, None for anything else.

    An at-uri with a handle may be of this repo, so it counts as if it were: it can only protect.
    """
    if not isinstance(uri, str) or _is_of_another(uri, did) or not is_at_uri(uri):
        return None
    return uri.removeprefix(SCHEME).partition("/")[2]


@dataclass(frozen=True, slots=True)
class Protections:
    """What the repo and the rules protect; posts are named by path."""

    rules: Rules
    did: str
    pinned: frozenset[str]
    #: Whether the profile has a pinned post, and does not name it in a form that can be read.
    pin_unknown: bool
    self_liked: frozenset[str]
    #: How many direct replies by the owner each post has.
    own_replies: Mapping[str, int]
    kept: frozenset[str]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, did: str, records: Iterable[RepoRecord], rules: Rules) -> Protections:
        """Read the whole repo: its profile, likes and replies decide about other records.

        Collections and rkeys must be texts.
        """
        pin_unknown = False
        pinned, posts, liked = set[str](), set[str](), set[str]()
        replies = set[tuple[str, str]]()  # (post, reply): a reply that is listed twice counts once
        for record in records:
            if record.path == f"{PROFILE}/self":
                path, is_unknown = _pinned(record.value, did)
                pinned |= {path} if path else set()
                pin_unknown |= is_unknown
            elif record.collection == POST:
                posts.add(record.path)
                if path := _replied_to(record.value, did):
                    replies.add((path, record.path))
            elif path := liked_post(record, did):
                liked.add(path)
        return cls(
            rules=rules,
            did=did,
            pinned=frozenset(pinned),
            pin_unknown=pin_unknown,
            self_liked=frozenset(liked & posts),
            own_replies=Counter(post for post, _ in replies),
            kept=frozenset(path for uri in rules.keep_uris if (path := own_path(uri, did))),
            texts=tuple(comparable(text) for text in rules.keep_texts),
        )

    def of_record(self, record: RepoRecord, counts: object) -> Reason | None:
        """Why a post, repost or like, whose types are known, is kept; None if nothing protects it.

        The owner's likes of own posts stay, else the next plan would not protect those posts. `counts`: a PostCounts;
        anything else is unknown.
        """
        if record.collection == POST and isinstance(record.value, dict):
            path = record.path
            return self._by_owner(path) or self._by_content(record.value) or self._by_counts(path, counts)
        if self.rules.keep_self_liked and liked_post(record, self.did) in self.self_liked:
            return Reason.MARKS_OWN_POST
        return None

    def _by_owner(self, path: str) -> Reason | None:
        if self.rules.keep_pinned and path in self.pinned:
            return Reason.PINNED
        if self.rules.keep_pinned and self.pin_unknown:
            return Reason.PIN_UNKNOWN
        if self.rules.keep_self_liked and path in self.self_liked:
            return Reason.SELF_LIKED
        return None

    def _by_content(self, post: dict[Any, Any]) -> Reason | None:
        text = comparable(post["text"]) if self.texts else ""
        if any(kept in text for kept in self.texts):
            return Reason.TEXT
        if self.rules.keep_domains:
            try:
                hosts = hosts_of_links(post)
            except NoHost:
                return Reason.LINK_UNREADABLE
            if any(is_within(host, self.rules.keep_domains) for host in hosts):
                return Reason.DOMAIN
        return None

    def _by_counts(self, path: str, counts: object) -> Reason | None:
        likes: object = None
        replies: object = None
        if isinstance(counts, tuple) and len(counts) == 2:
            likes, replies = counts
        if self.rules.keep_above_likes is not None:
            if not _is_count(likes):
                return Reason.LIKES_UNKNOWN
            if likes > self.rules.keep_above_likes:
                return Reason.MANY_LIKES
        if self.rules.keep_replied_to:
            if not _is_count(replies):
                return Reason.REPLIES_UNKNOWN
            if replies > self.own_replies.get(path, 0):
                return Reason.REPLIED_TO
        return None


def comparable(text: str) -> str:
    """A text without its case and without the different ways to write one character."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def liked_post(record: RepoRecord, did: str) -> str | None:
    """The path of the own post that a record likes, None if it likes none."""
    if record.collection != LIKE or _is_like_of_another(record.value, did):
        return None
    try:
        if types_of(LIKE, record.value, ()) and isinstance(record.value, dict):
            return own_path(uri_of(record.value["subject"]), did)
    except NotUnderstood:
        pass
    return None


def _is_of_another(uri: str, did: str) -> bool:
    """Whether an at-uri names another repo by its did. Quick, because nearly all likes are of other repos."""
    return uri.startswith(_BY_DID) and not uri.startswith(f"{SCHEME}{did}/")


def _is_like_of_another(value: object, did: str) -> bool:
    subject = value.get("subject") if isinstance(value, dict) else None
    uri = subject.get("uri") if isinstance(subject, dict) else None
    return isinstance(uri, str) and _is_of_another(uri, did)


def _replied_to(value: object, did: str) -> str | None:
    """The path of the own post that a post replies to, None for any other post.

    Only what the AppView surely counts as a reply is subtracted from its count: not one that it may not understand, and
    not one by handle, which may be to another repo.
    """
    try:
        types_of(POST, value, ())
        parent = parent_of(value) if isinstance(value, dict) else None
    except NotUnderstood:
        return None
    return own_path(parent, did) if parent is not None and parent.startswith(f"{SCHEME}{did}/") else None


def _pinned(profile: object, did: str) -> tuple[str | None, bool]:
    """The path of the pinned post, and whether there is one that cannot be read."""
    if not isinstance(profile, dict):
        return None, True
    if "pinnedPost" not in profile:
        return None, False
    try:
        return own_path(uri_of(profile["pinnedPost"]), did), False
    except NotUnderstood:
        return None, True


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
