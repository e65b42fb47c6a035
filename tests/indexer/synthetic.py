"""A small, seeded stream with everything in it that makes folding hard."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from atsite.core.atproto.tid import tid_of_micros
from tests.indexer import frames
from tests.indexer.frames import FOLLOW, LIKE, MINUTE, POST, SECOND, T0

if TYPE_CHECKING:
    from collections.abc import Iterator


def synthetic(events: int = 1500, seed: int = 7) -> list[bytes]:
    """Creates, edits, deletes, re-creates with other subjects, account states, handle changes and redeliveries."""
    chance = random.Random(seed)
    actors = [frames.did(number) for number in range(30)]
    made: list[tuple[str, str, str]] = []
    stream: list[bytes] = []
    at = T0
    for _ in range(events):
        at += chance.randrange(SECOND // 20, SECOND)
        actor = chance.choice(actors)
        match chance.randrange(20):
            case 0 | 1 | 2 | 3 | 4:
                stream.append(frames.post(actor, tid_of_micros(at), f"text {chance.random()}", at=at))
                made.append((actor, POST, tid_of_micros(at)))
            case 5 | 6 | 7 | 8 | 9:
                subject = f"at://{chance.choice(actors)}/{POST}/{tid_of_micros(at - chance.randrange(MINUTE))}"
                stream.append(frames.like(actor, tid_of_micros(at), subject, at=at))
                made.append((actor, LIKE, tid_of_micros(at)))
            case 10 | 11:
                stream.append(frames.follow(actor, tid_of_micros(at), chance.choice(actors), at=at))
                made.append((actor, FOLLOW, tid_of_micros(at)))
            case 12 | 13 if made:
                stream.append(frames.delete(*chance.choice(made), at=at))
            case 14 if made:
                stream.append(_again(*chance.choice(made), actors, chance, at))
            case 15:
                stream.append(frames.identity(actor, _handle(chance), at=at))
            case 16:
                status = chance.choice(("deactivated", "suspended", "takendown", ""))
                stream.append(frames.account(actor, active=not status, status=status, at=at))
            case 17 if chance.random() < 0.15:
                stream.append(frames.account(actor, active=False, status="deleted", at=at))
            case _ if stream:
                stream.append(frames.moved(chance.choice(stream[-200:]), chance.randrange(SECOND)))
    return stream


def _handle(chance: random.Random) -> str:
    """As events name it: in any case, not at all, or as one that could not be verified."""
    name = f"name{chance.randrange(99)}.example.com"
    return chance.choice((name, name, name.upper(), name.title(), "", "", "handle.invalid"))


def _again(repo: str, collection: str, rkey: str, actors: list[str], chance: random.Random, at: int) -> bytes:
    """An edit of a post, or a like or follow created again under its old key with another subject."""
    if collection == POST:
        return frames.post(repo, rkey, f"edited {chance.random()}", at=at, operation="update")
    if collection == LIKE:
        return frames.like(repo, rkey, f"at://{chance.choice(actors)}/{POST}/3kaaaaaaaaaa2", at=at)
    return frames.follow(repo, rkey, chance.choice(actors), at=at)


def mixed(events: int, seed: int = 11) -> Iterator[bytes]:
    """Creates alone, in the network's proportions: likes, follows, posts, reposts. For measuring."""
    chance = random.Random(seed)
    for number in range(events):
        at = T0 + number * 1_600
        actor, rkey = frames.did(chance.randrange(200_000)), tid_of_micros(at)
        subject = f"at://{frames.did(chance.randrange(200_000))}/{POST}/{tid_of_micros(at - chance.randrange(MINUTE))}"
        draw = chance.random()
        if draw < 0.63:
            yield frames.like(actor, rkey, subject, at=at)
        elif draw < 0.78:
            yield frames.follow(actor, rkey, frames.did(chance.randrange(200_000)), at=at)
        elif draw < 0.90:
            words = " ".join(chance.choice(WORDS) for _ in range(chance.randrange(4, 40)))
            yield frames.post(actor, rkey, words, at=at)
        else:
            yield frames.commit(
                actor,
                frames.REPOST,
                rkey,
                {"createdAt": frames.iso(at), "subject": {"cid": frames.CID, "uri": subject}},
                at=at,
            )


WORDS = ("the", "sky", "above", "this", "port", "was", "tuned", "to", "a", "dead", "channel", "and", "rain", "came")
