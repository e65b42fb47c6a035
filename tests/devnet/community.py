"""Two feeds of a community on the network, and what they must show, told from what the PDS holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.aturi import AtUri
from feeds.models import FeedDefinition
from feeds.ranking.feed import PostKey
from labels import membership
from labels.models import ActorLabel
from tests.devnet.index import LIKE, POST, REPOST
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.devnet.network import Network
    from tests.devnet.site import Site

PRIVATE, PUBLIC, HOT, TOP = "a-mpls", "cl-tqsp", "whats-hot", "top-24h"
#: A member of the private feed's community, and someone who is none: both block nobody, and nobody blocks them.
MEMBER, STRANGER = "carol", "erin"
MEMBERS: Final = {"mpls": ("alice", "bob", "carol"), "tqsp": ("alice", "bob", "dan", "erin")}
#: Of a network of five, one like is much.
SMALL: Final = {
    HOT: {"min_likes": 1, "min_age_minutes": 0},
    TOP: {"hours": 24, "min_likes": 1},
}


def define(site: Site) -> str:
    """Give the labels and set the feeds up; the at-uri of the post that tells strangers how to become a member."""
    network = site.network
    for label, names in MEMBERS.items():
        for name in names:
            membership.assign(label, network.account(name).did, by="test")
    (instructions,) = network.act(site.publisher, "post", text="Ask us, and you can read this feed.")
    FeedDefinition.objects.filter(rkey=PRIVATE).update(instructions_post=instructions)
    for rkey, parameters in SMALL.items():
        FeedDefinition.objects.filter(rkey=rkey).update(parameters=parameters)
    return instructions


def of_label(network: Network, label: str) -> list[str]:
    """The root posts of those who carry a label now, newest first."""
    members = _members(label)
    posts = [_key(uri) for uri, post in network.records(POST).items() if "reply" not in post]
    return [post.uri for post in sorted((post for post in posts if post.did in members), reverse=True)]


def await_posts(site: Site, rkey: str, label: str) -> list[str]:
    """Return once the service shows what the PDS says it must; the posts."""
    expected = of_label(site.network, label)
    until(lambda: site.posts(rkey) == expected, lambda: (site.posts(rkey), expected))
    site.network.settle()
    return expected


def with_reposts(network: Network, label: str) -> list[tuple[str, str]]:
    """All that those who carry a label posted or brought in by their first repost, newest first; each post, and the
    did of who reposted it ("" for their own)."""
    members, truth = _members(label), network.truth()
    posts = {_key(uri) for held in truth.values() for uri in held.get(POST, {})}
    entries = {post: (post.uri, "") for post in posts if post.did in members}
    first: dict[PostKey, AtUri] = {}
    reposts = [record for did in members & set(truth) for record in truth[did].get(REPOST, {}).values()]
    for record in sorted(reposts, key=lambda record: AtUri.parse(record["uri"]).rkey):
        subject = _key(record["value"]["subject"]["uri"])
        if subject in posts and subject.did not in members:
            first.setdefault(subject, AtUri.parse(record["uri"]))
    entries |= {PostKey(repost.rkey, repost.did): (subject.uri, repost.did) for subject, repost in first.items()}
    return [entries[key] for key in sorted(entries, reverse=True)]


def by_likes(network: Network) -> list[str]:
    """All root posts that someone likes and nobody labelled, the most liked first; of equal ones the newest."""
    likers: dict[str, set[str]] = {}
    for uri, like in network.records(LIKE).items():
        likers.setdefault(like["subject"]["uri"], set()).add(AtUri.parse(uri).did)
    shown = {uri: len(likers[uri]) for uri, post in network.records(POST).items() if uri in likers and _is_plain(post)}
    return sorted(shown, key=lambda uri: (shown[uri], _key(uri)), reverse=True)


def flat(pages: Iterable[list[str]]) -> list[str]:
    return [uri for page in pages for uri in page]


def _members(label: str) -> set[str]:
    return set(ActorLabel.objects.filter(label_id=label).values_list("did", flat=True))


def _is_plain(post: dict[str, Any]) -> bool:
    return "reply" not in post and not post.get("labels", {}).get("values")


def _key(uri: str) -> PostKey:
    return PostKey.of(AtUri.parse(uri))
