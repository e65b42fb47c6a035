"""The records of the demo account that tries clean-ups: three years of posts, reposts and likes. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from indexer.simulator.demo import OWNER
from indexer.simulator.network.cids import blob_cid, record_cid
from indexer.simulator.network.seeded_random import Chance

if TYPE_CHECKING:
    from collections.abc import Iterator

POST: Final = "app.bsky.feed.post"
LIKE: Final = "app.bsky.feed.like"
REPOST: Final = "app.bsky.feed.repost"
GATE: Final = "app.bsky.feed.threadgate"
PROFILE: Final = "app.bsky.actor.profile"
COUNT: Final = 1_200
YEARS_US: Final = 3 * 365 * 86_400 * 1_000_000
_OTHERS: Final = ("did:plc:novademodemodemodemodemo", "did:plc:ferndemodemodemodemodemo")
_TEXTS: Final = (
    "Rain all day, so I baked bread.",
    "The lake is frozen this morning.",
    "First tomatoes of the year!",
    "Reading on the train again.",
    "Does anyone know a good bicycle shop?",
    "The cat has found the warm spot.",
    "A long walk, and short thoughts.",
)
#: Records of each kind in a hundred, by the first draw.
_KINDS: Final = ("like",) * 40 + ("post",) * 22 + ("reply",) * 16 + ("repost",) * 10 + ("images",) * 7 + ("quote",) * 5


def owner_records(now_us: int, count: int = COUNT) -> dict[str, dict[str, Any]]:
    """collection/rkey -> record, in the form that JSON has; the newest is a few hours old at `now_us` (unix)."""
    chance = Chance(14)
    made: dict[str, dict[str, Any]] = {}
    for number in range(count):
        made_us = now_us - YEARS_US + YEARS_US * number // count
        made.update(_records(number, made_us, chance.draws(number)))
    pinned = next(path for path in made if path.startswith(f"{POST}/"))
    own = f"at://{OWNER}/{pinned}"
    profile = {"$type": PROFILE, "displayName": "Olive", "pinnedPost": _reference(own)}
    return {**made, f"{PROFILE}/self": profile}


def _records(number: int, made_us: int, draws: tuple[int, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """One record, and now and then a gate or a like that belongs to it."""
    kind = _KINDS[draws[0] % len(_KINDS)]
    rkey, created = tid_of_micros(made_us, number % 1_024), datetime_of_micros(made_us)
    other = f"at://{_OTHERS[draws[1] % 2]}/{POST}/{tid_of_micros(made_us - 3_600_000_000, 7)}"
    if kind in ("like", "repost"):
        collection = LIKE if kind == "like" else REPOST
        yield f"{collection}/{rkey}", {"$type": collection, "subject": _reference(other), "createdAt": created}
        return
    post: dict[str, Any] = {
        "$type": POST,
        "text": _TEXTS[draws[2] % len(_TEXTS)],
        "langs": ["en"],
        "createdAt": created,
    }
    if kind == "reply":
        post["reply"] = {"root": _reference(other), "parent": _reference(other)}
    elif kind == "quote":
        post["embed"] = {"$type": "app.bsky.embed.record", "record": _reference(other)}
    elif kind == "images":
        post["embed"] = {"$type": "app.bsky.embed.images", "images": [_image(number)]}
    yield f"{POST}/{rkey}", post
    own = f"at://{OWNER}/{POST}/{rkey}"
    if number % 40 == 3:
        yield f"{GATE}/{rkey}", {"$type": GATE, "post": own, "allow": [], "createdAt": created}
    if number % 60 == 5:
        like = {"$type": LIKE, "subject": _reference(own), "createdAt": created}
        yield f"{LIKE}/{tid_of_micros(made_us + 60_000_000, 9)}", like


def _reference(uri: str) -> dict[str, str]:
    return {"uri": uri, "cid": record_cid(uri)}


def _image(number: int) -> dict[str, Any]:
    blob = {"$type": "blob", "ref": {"$link": blob_cid(f"olive {number}")}, "mimeType": "image/jpeg", "size": 80_000}
    return {"alt": "", "image": blob}
