"""Models of the tables and views made from events (DDL in indexer/sql), of backfills and of actors not to index."""

from __future__ import annotations

from indexer.index.models.actors import (
    ActorAccount,
    ActorCounts,
    ActorFill,
    ActorHandle,
    ActorIdentity,
    ActorProfile,
    IdentityChange,
    PersonFact,
    PopularBeginning,
    Purge,
    RepoFloor,
)
from indexer.index.models.backfill import Backfill
from indexer.index.models.do_not_index import RefusedActor
from indexer.index.models.records import (
    Block,
    Blocker,
    Engagement,
    Follow,
    Follower,
    Like,
    Post,
    PostByActor,
    RepoRecord,
    Repost,
    Retraction,
)
from indexer.index.models.stream import DailyStats, DeadLetter, IndexerCheckpoint, Rereading, StreamGap
from indexer.index.models.views import Actor, FollowingCount, RecentPost, ScoredPost

__all__ = [
    "Actor",
    "ActorAccount",
    "ActorCounts",
    "ActorFill",
    "ActorHandle",
    "ActorIdentity",
    "ActorProfile",
    "Backfill",
    "Block",
    "Blocker",
    "DailyStats",
    "DeadLetter",
    "Engagement",
    "Follow",
    "Follower",
    "FollowingCount",
    "IdentityChange",
    "IndexerCheckpoint",
    "Like",
    "PersonFact",
    "PopularBeginning",
    "Post",
    "PostByActor",
    "Purge",
    "RecentPost",
    "RefusedActor",
    "RepoFloor",
    "RepoRecord",
    "Repost",
    "Rereading",
    "Retraction",
    "ScoredPost",
    "StreamGap",
]
