"""A site in use: rows in every table, told in words that a test chooses, so that hostile ones reach every page too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType

from apikeys import keys
from apikeys.models import ApiKey, add_key
from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.role_groups import grant
from feeds.models import Backtest, FeedDefinition, PinnedPost
from indexer.index.models import Backfill, RefusedActor
from labels import membership
from labels.bulk_plan import Line, Status
from labels.models import Block, BulkChange, Label
from search.cleanup.models import CleanupAudit, CleanupBatch, CleanupSwitch, Kind, RefusedAccount
from search.cleanup.planning.reasons import Reason
from search.cleanup.states import GRAPH, State
from tests import builders as b
from tests.rows import Record, store
from tests.search.cleanup.rows import job

#: What strangers write: a script, a direction turned round, marks that pile up, a word without an end.
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
    "\u202eevil gnp.exe\u202d </td></table>{{ 7 }} ' \" ` --",
    "Z" + "\u0300\u0301\u0302\u0303\u0489\u0334" * 100,
    "w" * 3_000,
)


@dataclass(frozen=True)
class Words:
    """What the people of a world call themselves and write."""

    handles: tuple[str, ...]
    names: tuple[str, ...]
    texts: tuple[str, ...]
    note: str


USUAL = Words(
    handles=("mira.example.com", "noel-of-the-northern-lakes.bsky.social", "otto.example.org", "pia.example.net"),
    names=("Mira of the lake", "Noël 🎻 (he/him)", "大田 オット", "Pia"),
    texts=(
        "Rehearsal on Thursday at seven, in the small hall. Bring the green book.",
        "Who has the second page of the Alto part? https://example.com/scores/2026/spring/alto-second-page.pdf",
        "昨日の夜、湖のそばで歌いました。とても静かで、星がたくさん見えました。",
        "A longer one, as people write them when they have something to tell: we sang for two hours, then the lights "
        "went out, and nobody stopped. #choir #minneapolis",
    ),
    note="Sings tenor; asked on 3 May.",
)
EVIL = Words(
    handles=tuple(f"{text}.example.com" for text in HOSTILE), names=HOSTILE, texts=HOSTILE, note=" ".join(HOSTILE)
)
#: Actors of a world, by number.
PEOPLE = tuple(Did(f"did:plc:{letter * 24}") for letter in "mnopqrst")


def fill(words: Words) -> None:
    """Rows of every kind: what the network says into ClickHouse, what people decide into `default`."""
    posts = _network(words)
    _stream(words)
    _use(words, posts)
    grant(using="default", apps=apps)
    import_module("feeds.migrations.0104_first_feeds").add(apps, None)
    _community(words)
    _feeds(words, posts)
    _jobs(words)
    _people(words)


def _at(things: tuple[str, ...], number: int) -> str:
    return things[number % len(things)]


def _network(words: Words) -> list[Record]:
    media: list[dict[str, Any]] = [{"images": ("a lake", "")}, {"video": True}, {"link": "https://example.com/a"}, {}]
    posts = []
    for nth in range(60):
        extra = media[nth % len(media)]
        text, at = _at(words.texts, nth), b.ago(minutes=20 * nth + 9)
        posts.append(b.post(PEOPLE[nth % 6], at=at, text=text, langs=("en", "ja"), tags=[text[:60]], **extra))
    reply = b.post(PEOPLE[1], at=b.ago(minutes=3), text=_at(words.texts, 1), reply_to=posts[0], quote=posts[1])
    store(*posts, reply)
    store(*(b.like(Did(f"did:plc:liker{nth:019d}"), post, at=b.ago(minutes=2)) for post in posts for nth in range(9)))
    store(*(b.repost(PEOPLE[nth % 8], post, at=b.ago(minutes=2)) for nth, post in enumerate(posts[:9])))
    store(b.delete(b.like(PEOPLE[0], posts[0], at=b.ago(minutes=8)), at=b.ago(minutes=7)))
    for nth, did in enumerate(PEOPLE):
        other = PEOPLE[(nth + 1) % len(PEOPLE)]
        store(b.follow(did, other, at=b.ago(hours=nth + 1)), b.block(did, PEOPLE[(nth + 3) % 8], at=b.ago(hours=2)))
        if nth < 6:
            store(b.identity(did, _at(words.handles, nth), at=b.ago(days=2)))
            name, about = _at(words.names, nth), _at(words.texts, nth)
            store(b.profile(did, at=b.ago(days=2), name=name, description=about))
    store(b.account(PEOPLE[0], active=True, at=b.ago(days=2)))
    store(b.account(PEOPLE[5], active=False, status="deactivated", at=b.ago(days=1)))
    store(b.floor(PEOPLE[7], at=b.ago(days=3)))
    return posts


def _stream(words: Words) -> None:
    now = datetime.now(UTC)
    micros = int(now.timestamp() * 1e6)
    minute = 60_000_000
    put("purges", did=PEOPLE[7], floor=micros << 10, purged_at=now)
    put("indexer_checkpoints", host="jetstream2.us-east.bsky.network", protocol="jetstream", cursor=micros,
        time_us=micros - minute, safe_cursor=micros - minute, acked_at=now)  # fmt: skip
    put("stream_gaps", from_us=micros - 90 * minute, to_us=micros - 60 * minute, noticed_at=now,
        host="jetstream2.us-east.bsky.network", reason="cursor_clamped")  # fmt: skip
    for nth in range(3):
        put("dead_letters", id=f"0a1b2c3d4e5f{nth:04d}" * 4, reason="bad_json", detail=_at(words.texts, nth),
            payload='{"did":"did:plc:x","commit":{"record":{"text":"' + _at(words.texts, nth) + '"}}}',
            host="jetstream2.us-east.bsky.network", time_us=micros - minute, stored_at=now, version=micros)  # fmt: skip
    counts = ("posts", "posts_with_images", "images", "images_with_alt", "likes", "reposts", "follows", "blocks",
              "post_actors", "like_actors", "repost_actors", "follow_actors", "block_actors", "actors")  # fmt: skip
    for days in range(5):
        day: dict[str, Any] = dict.fromkeys(counts, 1_234_567 * (days + 1))
        put("daily_stats", day=(now - timedelta(days=days)).date(), computed_at=now, **day)
    put("actor_fills", did=PEOPLE[6], handle=words.handles[0], display_name=words.names[0], source="appview",
        due_us=micros, version=micros)  # fmt: skip
    put("actor_counts", did=PEOPLE[0], followers=12_345, follows=321, posts=2_048, source="appview", version=micros)


def _use(words: Words, posts: list[Record]) -> None:
    now = datetime.now(UTC)
    for days in range(12):
        day = (now - timedelta(days=days)).date()
        put("feed_usage", feed="whats-hot", day=day, counter="a", requests=900 + 70 * days, readers=40 + days,
            interactions=12, senders=5, counted=1)  # fmt: skip
    for nth, event in enumerate(("interactionLike", "interactionSeen", words.texts[0])):
        put("feed_interactions", received_at=now, id=nth, feed="whats-hot", item=posts[nth].uri, event=event,
            feed_context=_at(words.texts, nth), req_id="r1")  # fmt: skip


def _community(words: Words) -> None:
    for name, meaning in (("choir", "Those who sing on Thursdays; opens the feed singers."), ("guests", words.note)):
        Label.objects.create(name=name, meaning=meaning)
    for nth, did in enumerate(PEOPLE[:6]):
        membership.assign("choir", did, by="mira", note=words.note if nth % 2 else "")
    membership.assign("mpls", PEOPLE[0], by="mira")
    membership.remove("choir", PEOPLE[5], by="otto")
    states = (Backfill.State.COMPLETED, Backfill.State.FAILED, Backfill.State.QUEUED)
    for did, state in zip(PEOPLE, states, strict=False):
        done = {"listed": 1234, "written": 1200, "removed": 3} if state == Backfill.State.COMPLETED else {}
        reason = words.note if state == Backfill.State.FAILED else ""
        fields = {"days": 30, "state": state, "reason": reason, "progress": done}
        Backfill.objects.update_or_create(did=did, defaults=fields)
    Block.objects.create(subject=PEOPLE[4], note=words.note, created_by="mira")
    Block.objects.create(subject=f"at://{PEOPLE[3]}/app.bsky.feed.post/3laaaaaaaaaa2", feed="whats-hot")
    RefusedActor.objects.create(did=PEOPLE[7], note=words.note, created_by="mira")
    lines = [
        Line(1, words.handles[0], Status.NEW, words.handles[0], PEOPLE[0], words.handles[0]),
        Line(2, "noone.example.com", Status.UNRESOLVABLE, "noone.example.com", reason="Nobody has this handle now."),
        Line(3, words.texts[-1], Status.INVALID, reason="This is neither a handle nor a did."),
        Line(4, PEOPLE[1], Status.ALREADY, PEOPLE[1], PEOPLE[1]),
    ]
    for stage in (BulkChange.State.READY, BulkChange.State.DONE):
        stored = [line.stored() for line in lines]
        label = Label.objects.get(name="choir")
        BulkChange.objects.create(label=label, giving=True, created_by="mira", state=stage, lines=stored, fence=3)


def _feeds(words: Words, posts: list[Record]) -> None:
    FeedDefinition.objects.create(
        rkey="singers", kind="label", parameters={"label": "choir"}, display_name="Singers",
        description=words.note[:250], visibility="private", pinned_post=posts[0].uri,
    )  # fmt: skip
    found = FeedDefinition.objects.create(
        rkey="rehearsals", kind="search", display_name="Rehearsals", description=words.note[:250],
        parameters={"query": '(rehearsal OR "alto part" OR is:root) -(advert OR #robots)', "languages": ["en", "de"],
                    "blocked_words": [words.texts[1].replace(",", " ")[:60], "spam"], "members_of": "choir"},
    )  # fmt: skip
    today = datetime.now(UTC)
    days = [(today - timedelta(days=13 - nth)).date().isoformat() for nth in range(14)]
    Backtest.objects.create(
        feed=found, state=Backtest.State.FAILED, reason=words.note, next_at=None, counted_at=today,
        result=[[day, 7 * nth % 31 if nth > 3 else 0, 3_456_789 if nth > 3 else 0] for nth, day in enumerate(days)],
    )  # fmt: skip
    FeedDefinition.objects.filter(rkey="whats-hot").update(parameters={"min_likes": 5})
    for nth, post in enumerate(posts[:4]):
        PinnedPost.objects.create(feed=FeedDefinition.objects.get(rkey="bangers"), position=nth, uri=post.uri)


def _jobs(words: Words) -> None:
    now = datetime.now(UTC)
    for nth, state in enumerate(State):
        row = job(PEOPLE[nth % 8], state, records_planned=1200, records_deleted=150 * nth, records_gone=20,
                  reason=words.note if state in (State.FAILED, State.WAITING) else "", planned_at=now, plan=PLAN,
                  handle=words.handles[0][:253], stage="deleting", permitted=True, next_at=None,
                  finished_at=now if state in GRAPH.ended else None)  # fmt: skip
    ended = {
        "report": {"left": {"changed": 3}, "text": "Of the plan, 3 were changed after the plan was made, and stay."}
    }
    backup = {"backup": "a.car.age", "backup_until": now + timedelta(days=30), "confirmed_at": now, "next_at": None}
    done = job(PEOPLE[0], State.COMPLETED, records_planned=600, records_deleted=590, records_kept=3, **ended, **backup)
    undo = job(PEOPLE[6], State.COMPLETED, kind=Kind.UNDO, undoes=done, records_planned=590, records_deleted=590)
    for nth, each in enumerate((row, done, undo)):
        for number in range(1, 4):
            CleanupBatch.objects.create(
                job=each, number=number, records=200, records_deleted=190, records_gone=10, began_at=now, ended_at=now,
                error=words.note if number == 3 - nth else "",
            )  # fmt: skip
        CleanupAudit.objects.create(job_id=each.job_id, did=each.did, action="created", by=words.names[nth][:150])
    CleanupAudit.objects.create(action="paused all", by="mira")
    CleanupSwitch.objects.create(paused=True, changed_by=words.names[0][:150])
    RefusedAccount.objects.create(did=PEOPLE[0], note=words.note[:500], created_by="mira")


#: A plan as the engine stores it: its at-uris are on no page.
PLAN = {
    "deletes": 1200, "gates": 4, "records": 12_345, "uncounted": 7, "hours": 1,
    "oldest": "2019-03-04T05:06:07.000000Z", "newest": "2025-12-31T23:59:59.000000Z",
    "going_by_type": {"post": 700, "post_with_media": 100, "like": 500},
    "kept_by_reason": {str(reason): 10 * nth for nth, reason in enumerate(Reason, 1)},
    "going_examples": {"post": [f"at://{PEOPLE[0]}/app.bsky.feed.post/3laaaaaaaaaa2"]},
    "kept_examples": {"pinned": [f"at://{PEOPLE[0]}/app.bsky.feed.post/3laaaaaaaaab2"]},
}  # fmt: skip


def _people(words: Words) -> None:
    mira = User.objects.create_user("mira", is_staff=True, first_name=words.names[0][:150])
    mira.groups.set(Group.objects.filter(name="moderators"))
    kind = ContentType.objects.get_for_model(Label)
    for flag, message in ((ADDITION, '[{"added": {}}]'), (CHANGE, words.note)):
        LogEntry.objects.create(
            user=mira, action_flag=flag, object_repr=words.names[0][:200], content_type=kind, change_message=message
        )
    good = add_key(keys.mint(), note=words.note, scopes=["members"], feeds=["a-mpls", "singers"])
    for number in range(10):
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2 * number)
        put("api_key_usage", key_id=good.key_id, hour=hour, counter="a", uses=40 + 9 * number, last_used_at=hour)
    add_key(keys.mint(), note="weekly numbers", scopes=["stats", "search"], feeds=[]).revoke()
    rotated: ApiKey = add_key(keys.mint(), note="search page", scopes=["search"], feeds=[])
    rotated.rotate(keys.rotated(rotated.key_id), overlap=timedelta(days=1))


def put(table: str, **columns: Any) -> None:
    """One row, straight into a table."""
    door.insert(table, {name: [value] for name, value in columns.items()}, name=f"tests.{table}")
