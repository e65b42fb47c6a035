"""Read models of every table and view made from the network's events (the DDL is in indexer/sql), and refusals."""

from __future__ import annotations

from indexer.models.actors import (
    ActorAccount,
    ActorCounts,
    ActorFill,
    ActorHandle,
    ActorIdentity,
    ActorProfile,
    Purge,
    RepoFloor,
)
from indexer.models.backfill import Backfill
from indexer.models.records import (
    Block,
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
from indexer.models.refusals import RefusedActor
from indexer.models.stream import DailyStats, DeadLetter, IndexerCheckpoint, StreamGap
from indexer.models.views import Actor, FollowingCount, RecentPost, ScoredPost

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
    "DailyStats",
    "DeadLetter",
    "Engagement",
    "Follow",
    "Follower",
    "FollowingCount",
    "IndexerCheckpoint",
    "Like",
    "Post",
    "PostByActor",
    "Purge",
    "RecentPost",
    "RefusedActor",
    "RepoFloor",
    "RepoRecord",
    "Repost",
    "Retraction",
    "ScoredPost",
    "StreamGap",
]
