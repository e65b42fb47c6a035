"""Small networks for the feeds: who posts, who likes, and everything that goes wrong with it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import micros_of_tid, tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from atsite.core.clickhouse import door
from tests import builders as b

if TYPE_CHECKING:
    from tests.rows import Record, Row

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def actor(number: int) -> Did:
    return Did(f"did:plc:{number:024d}".translate(str.maketrans("0189", "abcd")))


def liked_posts(count: int, *, now: int, likes: int = 2, authors: int = 1000) -> list[Row]:
    """Posts of different ages and (up to `authors`) authors, three to an rkey; each has `likes` or more."""
    rows: list[Row] = []
    for number in range(count):
        moment = now - 10 * MINUTE - (number - number % 3) * 5 * MINUTE
        post = b.post(actor(number % authors), at=moment, rkey=tid_of_micros(moment), text=f"post {number}")
        rows.append(post)
        rows += [b.like(actor(1000 + liker), post, at=moment + MINUTE) for liker in range(likes + number % 7)]
    return rows


def carry(label: str, *dids: Did, version: int = 1, deleted: bool = False) -> None:
    """Give a label to actors, or take it away, in the copy that feeds read."""
    columns: dict[str, list[object]] = {
        "label": [label] * len(dids),
        "did": list(dids),
        "time_us": [version] * len(dids),
        "deleted": [int(deleted)] * len(dids),
    }
    door.insert("actor_labels", columns, name="tests.labels")


def troubled(seed: int, *, now: int) -> list[Row]:
    """A network with deletes, unlikes, re-likes, double likes, likes older than their post, edits, inactive and deleted
    authors, self-labels, forged rkeys, imports, replies, and mass followers; shuffled, a part delivered twice."""
    random = Random(seed)
    posts = [_post(random, number, now) for number in range(150)]
    rows: list[Row] = list(posts)
    for post in posts:
        rows += _likes(random, post, now)
    for post in random.sample(posts, 12):
        rows.append(b.delete(post, at=_lately(random, now)))
    for post in random.sample(posts, 8):
        rows.append(b.update(post, at=_lately(random, now), text="edited"))
    for author in range(6):
        rows.append(b.account(actor(author), active=False, status="deactivated", at=now - 2 * HOUR))
    for author in range(3):
        rows.append(b.account(actor(author), active=True, at=now - HOUR))
    rows.append(b.floor(actor(6), at=now - 3 * HOUR))
    for author in (7, 8):
        rows += [b.follow(actor(author), actor(500 + number), at=now - HOUR - number) for number in range(9 + author)]
    random.shuffle(rows)
    return rows + random.sample(rows, len(rows) // 5)


def _post(random: Random, number: int, now: int) -> Record:
    moment = now - random.randrange(2 * MINUTE, 30 * HOUR)
    post = b.post(actor(random.randrange(40)), at=moment, text=f"post {number}")
    match number % 15:
        case 0:
            return b.post(post.did, at=moment, text="labelled", labels=["porn"])
        case 1:
            return b.post(post.did, at=moment, text="reply", reply_to="at://did:plc:x/app.bsky.feed.post/3laaaaaaaaaa2")
        case 2:  # an rkey ahead of its commit
            return b.post(post.did, at=moment, rev_at=moment - 3 * MINUTE, text="forged")
        case 3:
            return b.post(post.did, at=moment, rkey=f"not-a-tid-{number}", text="odd")
        case 4:
            created = datetime_of_micros(moment - 25 * HOUR)
            return b.post(post.did, at=moment, created_at=created, text="imported")
        case 5:  # clocks differ: still eligible
            return b.post(post.did, at=moment, rev_at=moment - MINUTE, text="ahead")
        case _:
            return post


def _likes(random: Random, post: Record, now: int) -> list[Row]:
    rows: list[Row] = []
    for liker in random.sample(range(100, 140), random.randrange(0, 25)):
        like = b.like(actor(liker), post, at=_lately(random, now))
        rows.append(like)
        match random.randrange(12):
            case 0:
                rows.append(b.delete(like, at=now - 1))
            case 1:  # unliked, then liked again under a new key
                rows += [b.delete(like, at=now - 2), b.like(like.did, post, at=_lately(random, now))]
            case 2:  # unliked and created again under the same key
                rows += [b.delete(like, at=now - 2), b.recreate(like, at=now - 1)]
            case 3:
                rows.append(b.like(like.did, post, at=_lately(random, now)))
            case 4:  # older than its post, by its rkey
                rows.append(b.like(actor(liker + 100), post, at=now - 40 * HOUR - random.randrange(HOUR)))
            case 5:  # forged: before everything that counts
                rkey = tid_of_micros(micros_of_tid(like.rkey) - 100 * HOUR)
                rows.append(replace(like, did=actor(liker + 200), rkey=rkey))
            case 6:  # now another post is liked
                other = {"uri": "at://did:plc:x/app.bsky.feed.post/3laaaaaaaaaa2", "cid": like.cid}
                rows.append(b.update(like, at=now - 1, subject=other))
    return rows


def _lately(random: Random, now: int) -> int:
    return now - random.randrange(10, HOUR)
