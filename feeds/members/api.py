"""HTTP endpoints of the feed generator for programs with an API key: members and usage of feeds.

These are not XRPC methods; they are documented at /openapi.json and /docs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse  # noqa: TC002 - ninja reads the annotations
from django.utils import timezone
from ninja import Query, Router

from apikeys.auth import ApiKeyAuth
from atsite.core.kv.quick import RedisAway
from atsite.core.web.auth import Principal, Scope, principal_of, require
from atsite.core.web.documented import FAILURES, example
from atsite.core.web.xrpc import PRIVATE
from feeds.members import members
from feeds.members.schemas import ChangeAnswer, FeedsAnswer, FeedsQuery, FeedStats, MemberQuery, MembersQuery
from feeds.serving.registry import registry
from feeds.usage import counting, queries
from labels import members_for_api
from labels.schemas import MembersAnswer

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.atproto.syntax import Did
    from labels.membership import Change

router = Router(auth=[ApiKeyAuth()])

CAROL: Final = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
CHANGED: Final = {"did": CAROL, "feedName": "a-mpls", "changed": True, "late": []}
CHANGE: Final = example(CHANGED, scopes=(Scope.MEMBERS,), feedName="a-mpls", handle="carol.example")
LISTED: Final = {"members": [{"did": CAROL, "handle": "carol.example"}]}
USED: Final = {
    "feeds": [
        {
            "name": "a-mpls",
            "uri": f"at://{CAROL}/app.bsky.feed.generator/a-mpls",
            "kind": "label",
            "displayName": "Minneapolis",
            "requests": 1200,
            "distinctUsers": 85,
            "interactions": 30,
            "days": [
                {
                    "day": "2026-03-01",
                    "requests": 1200,
                    "distinctUsers": 85,
                    "interactions": 30,
                    "interactingUsers": 12,
                }
            ],
        }
    ]
}


@router.put(
    "/assign_user_to_feed",
    response={200: ChangeAnswer, **FAILURES},
    by_alias=True,
    tags=["members"],
    summary="Add a member to a feed",
    openapi_extra=CHANGE,
)
def assign_user_to_feed(request: HttpRequest, parameters: Query[MemberQuery]) -> ChangeAnswer:
    """Add a member to a feed; this takes effect at once. Needs the scope `members` and a key that covers the feed.

    Repeating the call changes nothing.
    """
    key, did = _member(request, parameters)
    return _answer(did, parameters, members.assign(did, parameters.feed_name, by=key.subject))


@router.put(
    "/unassign_user_from_feed",
    response={200: ChangeAnswer, **FAILURES},
    by_alias=True,
    tags=["members"],
    summary="Remove a member from a feed",
    openapi_extra=CHANGE,
)
def unassign_user_from_feed(request: HttpRequest, parameters: Query[MemberQuery]) -> ChangeAnswer:
    """Remove a member from a feed; this takes effect at once. Needs the same key as `assign_user_to_feed`.

    Repeating the call changes nothing. Use the did for an account whose handle no longer resolves.
    """
    key, did = _member(request, parameters)
    return _answer(did, parameters, members.unassign(did, parameters.feed_name, by=key.subject))


@router.get(
    "/feed_members",
    response={200: MembersAnswer, **FAILURES},
    by_alias=True,
    exclude_none=True,
    tags=["members"],
    summary="List the members of a feed, or look up one",
    openapi_extra=example(LISTED, scopes=(Scope.MEMBERS,), feedName="a-mpls", limit=100),
)
def feed_members(request: HttpRequest, response: HttpResponse, parameters: Query[MembersQuery]) -> MembersAnswer:
    """The members of a feed, in order of did. With `handle`, only that account, if it is a member.

    Needs the scope `members` and a key that covers the feed.
    """
    response["Cache-Control"] = PRIVATE
    require(principal_of(request), Scope.MEMBERS, feed=parameters.feed_name)
    members.label_of(parameters.feed_name)
    only = None if parameters.handle is None else async_to_sync(members_for_api.did_of)(parameters.handle)
    page = members.page(parameters.feed_name, limit=parameters.limit, cursor=parameters.cursor, only=only)
    return MembersAnswer.of(page)


@router.get(
    "/admin/feeds",
    response={200: FeedsAnswer, **FAILURES},
    by_alias=True,
    tags=["statistics"],
    summary="Usage of each feed",
    openapi_extra=example(USED, scopes=(Scope.STATS, Scope.MEMBERS), days=7),
)
def feeds(request: HttpRequest, response: HttpResponse, parameters: Query[FeedsQuery]) -> FeedsAnswer:
    """Kind, requests and number of different readers of each feed. Counts are written every five minutes. Days are UTC.

    Needs the scope `stats`. With the scope `members` instead, the answer has only the feeds that the key covers.
    """
    response["Cache-Control"] = PRIVATE
    principal = principal_of(request)
    if Scope.MEMBERS not in principal.scopes:
        require(principal, Scope.STATS)
    everything = Scope.STATS in principal.scopes
    shown = [feed.definition for feed in registry() if everything or feed.definition.rkey in principal.feeds]
    now = timezone.now()
    daily = queries.daily_usage(since=(now - timedelta(days=parameters.days - 1)).date())
    readers = _different_readers([definition.rkey for definition in shown], parameters.days)
    return FeedsAnswer(
        feeds=[
            FeedStats.of(
                definition,
                [row for row in daily if row.feed == definition.rkey],
                readers.get(definition.rkey, 0),
            )
            for definition in shown
        ]
    )


def _member(request: HttpRequest, parameters: MemberQuery) -> tuple[Principal, Did]:
    """The caller and the member's did. The handle is looked up only after the key and the feed were checked."""
    principal = principal_of(request)
    require(principal, Scope.MEMBERS, feed=parameters.feed_name)
    members.label_of(parameters.feed_name)
    return principal, async_to_sync(members_for_api.did_of)(parameters.handle)


def _answer(did: Did, parameters: MemberQuery, change: Change) -> ChangeAnswer:
    return ChangeAnswer(did=did, feed_name=parameters.feed_name, changed=change.changed, late=list(change.late))


def _different_readers(feeds: Collection[str], days: int) -> dict[str, int]:
    """Over the whole period; empty if Redis is down."""
    try:
        return counting.different_readers(feeds, days, now=timezone.now())
    except RedisAway:
        return {}
