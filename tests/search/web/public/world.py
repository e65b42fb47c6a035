"""A small network for the public page: all that a post can show, and what must not be shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from feeds.models import FeedDefinition
from indexer.index.stats.queries import Day, store_days
from search.web.public.found_posts import LIMIT
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    POST,
    PROFILE,
    ago,
    identity,
    like,
    post,
    profile,
    record,
    repost,
    store,
)

EVIL: Final = """<img src=x onerror="document.title='owned'"><script>document.title="owned"</script>"""
#: More than a page of posts, besides those that say more.
MANY: Final = LIMIT + 5


def labelled(label: str) -> dict[str, object]:
    """The self-labels of a record."""
    return {"labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": label}]}}


def fill() -> None:
    """Posts about herons by Alice and Bob; Carol asks not to be shown, Dan marks his account."""
    heron = post(ALICE, at=ago(hours=2), text="The heron waits,\nand the Heron flies.", langs=("en",))
    pictured = post(BOB, at=ago(hours=3), text="heron in pictures", images=("a grey heron at the canal", ""))
    card = {"uri": "https://www.example.com/heron", "title": "On herons", "description": "A bird at the canal"}
    linked = {"text": "heron with a link", "createdAt": ago(hours=4).isoformat()}
    store(
        identity(ALICE, "alice.example.com", at=ago(hours=90)),
        identity(BOB, "bob.example.com", at=ago(hours=90)),
        profile(ALICE, at=ago(hours=90), name="Alice of the canal"),
        profile(BOB, at=ago(hours=90), name=f"Bob {EVIL}"),
        record(
            CAROL, PROFILE, {"displayName": "Carol", **labelled("!no-unauthenticated")}, at=ago(hours=90), rkey="self"
        ),
        record(DAN, PROFILE, {"displayName": "Dan", **labelled("porn")}, at=ago(hours=90), rkey="self"),
        identity(CAROL, "carol.example.com", at=ago(hours=90)),
        heron,
        like(BOB, heron, at=ago(hours=1)),
        like(DAN, heron, at=ago(hours=1)),
        repost(BOB, heron, at=ago(hours=1)),
        post(BOB, at=ago(hours=1, minutes=30), text="what a heron", reply_to=heron, langs=("de",)),
        pictured,
        record(BOB, POST, {**linked, "embed": {"$type": "app.bsky.embed.external", "external": card}}, at=ago(hours=4)),
        post(BOB, at=ago(hours=5), text=f"heron {EVIL}"),
        post(BOB, at=ago(hours=6), text="a nude heron", labels=("nudity",)),
        post(DAN, at=ago(hours=7), text="heron by dan"),
        post(CAROL, at=ago(hours=8), text="heron, only for people who are signed in"),
        *(post(ALICE, at=ago(hours=9, minutes=each), text=f"heron number {each}") for each in range(MANY)),
    )


def fill_days(days: int = 90) -> None:
    """Numbers of the last days, today among them."""
    now = datetime.now(UTC)
    rows = []
    for back in range(days):
        size = 1_000 + 37 * ((back * 7) % 31) + (600 if back % 7 in (1, 2) else 0)
        numbers = dict.fromkeys(Day.__dataclass_fields__, size) | {"day": now.date() - timedelta(days=back)}
        numbers |= {"posts": size * 12, "likes": size * 61, "images": size, "images_with_alt": size // 3 + 4 * back}
        rows.append(Day(**numbers))  # type: ignore[arg-type]
    store_days(rows, computed_at=now)


def fill_feeds() -> None:
    """Two public feeds, one that is private and one that is switched off."""
    FeedDefinition.objects.all().delete()
    row = {"publisher": ALICE, "kind": "hot"}
    text = "What people at the canal like most, ranked every minute."
    FeedDefinition.objects.create(rkey="canal", display_name="Canal life", description=text, **row)
    FeedDefinition.objects.create(rkey="herons", display_name="Herons", description="Only herons.", **row)
    FeedDefinition.objects.create(rkey="crew", display_name="Crew only", visibility="private", **row)
    FeedDefinition.objects.create(rkey="off", display_name="Switched off", enabled=False, **row)
