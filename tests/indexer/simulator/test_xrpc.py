"""What the simulated PDS and AppView answer, against what a strict reader of the stream knows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from atsite.core.atproto.tid import int_to_tid
from indexer.simulator.network.events import FOLLOW, Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.repos import Repos
from indexer.simulator.network.timeline import FOUNDING_EVENTS, SECOND, Timeline
from indexer.simulator.serving.xrpc import Xrpc
from tests.indexer.simulator.fold import POST, PROFILE, Fold
from tests.steps import steps

EPOCH = 1_790_000_000 * SECOND
TIMELINE = Timeline(seed=7, epoch_us=EPOCH, actors=60, preroll_events=20_000, preroll_hours=24)
EVENTS = TIMELINE.first_live + 6_000
#: A moment at which those events have happened, and no others.
NOW = TIMELINE.time_of(EVENTS) - 1


@pytest.fixture(scope="module")
def fold() -> Fold:
    network, fold = Network(TIMELINE), Fold()
    for number in range(EVENTS):
        fold.add(network.event(number))
    return fold


@pytest.fixture(scope="module")
def xrpc() -> Xrpc:
    network = Network(TIMELINE)
    return Xrpc(Identities(network), Repos(network))


async def ask(xrpc: Xrpc, method: str, *, now: int = NOW, **query: Any) -> tuple[int, dict[str, Any]]:
    page = await xrpc.page(f"/xrpc/{method}?{urlencode(query, doseq=True)}", now=now)
    assert page is not None
    return page.status, json.loads(page.body)


async def every_record(xrpc: Xrpc, **query: Any) -> list[dict[str, Any]]:
    """All pages of a listing."""
    records: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for _ in steps():
        status, answer = await ask(xrpc, "com.atproto.repo.listRecords", **query, **cursor)
        assert status == 200, answer
        if not answer["records"]:
            break
        records += answer["records"]
        cursor = {"cursor": answer["cursor"]}
    return records


async def test_every_repo_holds_what_the_stream_told(xrpc: Xrpc, fold: Fold) -> None:
    for did in living(fold):
        expected = sorted(
            (f"at://{did}/{collection}/{rkey}", record) for (collection, rkey), record in fold.repos[did].items()
        )
        collections = {collection for collection, _ in fold.repos[did]}
        listed = [r for name in collections for r in await every_record(xrpc, repo=did, collection=name, limit=100)]
        assert sorted((record["uri"], record["value"]) for record in listed) == expected


async def test_records_come_newest_first_or_oldest_first_in_pages(xrpc: Xrpc, fold: Fold) -> None:
    did = max(living(fold), key=lambda did: len(fold.repos[did]))
    rkeys = sorted((rkey for collection, rkey in fold.repos[did] if collection == POST), reverse=True)
    assert len(rkeys) > 7
    question: dict[str, Any] = {"repo": fold.handles_now[did], "collection": POST}
    newest = await every_record(xrpc, **question, limit=7)
    oldest = await every_record(xrpc, **question, limit=7, reverse="true")
    assert [record["uri"].rpartition("/")[2] for record in newest] == rkeys
    assert oldest == newest[::-1]
    _, first = await ask(xrpc, "com.atproto.repo.listRecords", **question)
    assert first["records"] == newest[:50]


async def test_the_latest_commit_has_the_rev_of_the_last_event(xrpc: Xrpc, fold: Fold) -> None:
    for did in living(fold):
        status, answer = await ask(xrpc, "com.atproto.sync.getLatestCommit", did=did)
        assert (status, answer["rev"]) == (200, int_to_tid(fold.revs[did]))
        assert answer["cid"].startswith("bafyrei")


async def test_profiles_count_what_the_stream_told(xrpc: Xrpc, fold: Fold) -> None:
    follows = {did: follows_of(fold, did) for did in fold.active}
    dids = sorted(living(fold))
    for start in range(0, len(dids), 25):
        some = dids[start : start + 25]
        status, answer = await ask(xrpc, "app.bsky.actor.getProfiles", actors=some)
        assert (status, [profile["did"] for profile in answer["profiles"]]) == (200, some)
        assert answer["profiles"] == [profile(fold, follows, did) for did in some]


def profile(fold: Fold, follows: dict[str, set[str]], did: str) -> dict[str, Any]:
    written = fold.repos[did].get((PROFILE, "self"))
    return {
        "did": did,
        "handle": fold.handles_now[did],
        **({"displayName": written["displayName"]} if written is not None else {}),
        "followersCount": sum(did in others for others in follows.values()),
        "followsCount": len(follows[did]),
        "postsCount": sum(collection == POST for collection, _ in fold.repos[did]),
    }


def follows_of(fold: Fold, did: str) -> set[str]:
    return {record["subject"] for (collection, _), record in fold.repos[did].items() if collection == FOLLOW}


def living(fold: Fold) -> set[str]:
    return {did for did, active in fold.active.items() if active}


async def test_who_is_away_has_no_profile_and_no_repo(xrpc: Xrpc, fold: Fold) -> None:
    away = {did for did, active in fold.active.items() if not active}
    names = set()
    for did in away:
        assert await ask(xrpc, "app.bsky.actor.getProfiles", actors=did) == (200, {"profiles": []})
        for method, name in (("com.atproto.repo.listRecords", "repo"), ("com.atproto.sync.getLatestCommit", "did")):
            status, answer = await ask(xrpc, method, **dict[str, Any]({name: did, "collection": POST}))
            assert status == 400
            names.add(answer["error"])
    assert names == {"RepoNotFound", "RepoDeactivated", "RepoTakendown", "RepoSuspended"}


async def test_what_the_stream_has_not_sent_yet_is_not_there() -> None:
    network, fold, told = Network(TIMELINE), Fold(), 0
    xrpc, did = Xrpc(Identities(network), Repos(network)), network.population.did(4)
    for moment in (4 * FOUNDING_EVENTS + 5, TIMELINE.founding, TIMELINE.first_live):
        for number in range(told, moment):
            fold.add(network.event(number))
        told = moment
        follows = {did: follows_of(fold, did) for did in fold.active}
        _, answer = await ask(xrpc, "app.bsky.actor.getProfiles", now=TIMELINE.time_of(moment) - 1, actors=did)
        assert answer["profiles"] == [profile(fold, follows, did)]
    assert await ask(xrpc, "app.bsky.actor.getProfiles", actors="did:plc:" + "a" * 24) == (200, {"profiles": []})


@pytest.mark.parametrize(
    ("method", "query", "name"),
    [
        ("app.bsky.actor.getProfiles", {}, "InvalidRequest"),
        ("app.bsky.actor.getProfiles", {"actors": ["x.test"] * 26}, "InvalidRequest"),
        ("com.atproto.repo.listRecords", {"collection": POST}, "InvalidRequest"),
        ("com.atproto.repo.listRecords", {"repo": "nobody.demo.test", "collection": POST}, "RepoNotFound"),
        ("com.atproto.repo.listRecords", {"repo": "$did"}, "InvalidRequest"),
        ("com.atproto.repo.listRecords", {"repo": "$did", "collection": "posts"}, "InvalidRequest"),
        ("com.atproto.repo.listRecords", {"repo": "$did", "collection": POST, "limit": 0}, "InvalidRequest"),
        ("com.atproto.repo.listRecords", {"repo": "$did", "collection": POST, "limit": 101}, "InvalidRequest"),
        ("com.atproto.repo.listRecords", {"repo": "$did", "collection": POST, "limit": "x"}, "InvalidRequest"),
        ("com.atproto.sync.getLatestCommit", {}, "InvalidRequest"),
        ("com.atproto.sync.getLatestCommit", {"did": "did:plc:" + "a" * 24}, "RepoNotFound"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    xrpc: Xrpc, method: str, query: dict[str, Any], name: str
) -> None:
    did = Network(TIMELINE).population.did(4)
    said: dict[str, Any] = {key: did if value == "$did" else value for key, value in query.items()}
    status, answer = await ask(xrpc, method, **said)
    assert (status, answer["error"]) == (400, name)


async def test_a_record_is_got_by_its_key(xrpc: Xrpc, fold: Fold) -> None:
    did = min(did for did in living(fold) if (PROFILE, "self") in fold.repos[did])
    query: dict[str, Any] = {"repo": did, "collection": PROFILE, "rkey": "self"}
    status, answer = await ask(xrpc, "com.atproto.repo.getRecord", **query)
    assert (status, answer["value"]) == (200, fold.repos[did][PROFILE, "self"])
    assert answer["uri"] == f"at://{did}/{PROFILE}/self"
    status, answer = await ask(xrpc, "com.atproto.repo.getRecord", **query | {"rkey": "other"})
    assert (status, answer["error"]) == (400, "RecordNotFound")


async def test_other_paths_are_no_pages(xrpc: Xrpc) -> None:
    assert [await xrpc.page(path, now=NOW) for path in ("/", "/subscribe", "/xrpc/com.atproto.repo.describeRepo")] == [
        None,
        None,
        None,
    ]
