"""The community of the demo: members, keys, moderation and readers, so that no page of a first look is empty.

Each part runs once for a data folder, with the functions that the admin and the APIs use. What is done is kept in a
file, so a later start adds nothing again, and what an operator deletes stays deleted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from celery import current_app
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils import timezone

from apikeys import keys
from apikeys.models import add_key
from atsite.core.atproto.syntax import Did
from atsite.core.embedded import files
from atsite.core.errors import AtsiteError
from atsite.management.running_demo import SKELETON, Demo, PartFailed, uri_of
from feeds import backtests
from feeds.admin import moderation
from feeds.models import FeedDefinition, PinnedPost
from feeds.publishing.actions import act
from feeds.usage.interactions import SEND
from indexer.simulator.demo import OWNER_APP_PASSWORD, OWNER_HANDLE
from labels import account_lookup, bulk_changes, membership
from labels.account_lookup import Actor
from labels.change_author import Via
from labels.models import ActorLabel, BulkChange, Label
from search.cleanup import owner_actions
from search.cleanup.models import RefusedAccount
from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import Rules
from search.cleanup.web.owner import signed_in_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from atsite.core.config import Config

#: The parts that are done, in the data folder.
DONE_FILE: Final = "demo_community.json"
#: The key of the demo's bot, as an operator would keep it.
KEY_FILE: Final = "demo_api_key"
ADMIN: Final = "admin"
LISTED_POSTS, READERS = 15, 5
#: Words that the simulated network writes, in two of its languages.
DEMO_QUERY: Final = 'bread OR "of the sea" OR #photography OR パン屋'
#: How old records are that the demo's clean-up would delete.
OLD_DAYS: Final = 365
EVENTS: Final = tuple(
    f"app.bsky.feed.defs#{name}" for name in ("interactionSeen", "clickthroughItem", "interactionLike", "requestMore")
)
#: Tasks that beat would send in some minutes: they write what the parts leave to the worker.
TASKS: Final = (
    "indexer.tasks.run_backfills",
    "indexer.tasks.settle_refusals",
    "indexer.tasks.purge_deleted_accounts",
    "feeds.run_backtests",
    "feeds.write_usage",
    "apikeys.tasks.flush_usage",
)
#: By then the services have written their counts to Redis.
TASK_DELAY_SECONDS: Final = 3


def add_private_members(demo: Demo) -> None:
    """One by one, then the rest as a pasted list, which is a bulk change."""
    first, rest = demo.private_members[:2], demo.private_members[2:]
    for actor in first:
        membership.assign("mpls", actor.did, by=ADMIN, note="A founder.", via=Via.ADMIN)
    pasted = "\n".join(actor.handle for actor in rest)
    change = bulk_changes.plan(
        Label.objects.get(name="mpls"), pasted, giving=True, by=ADMIN, note="From the first list."
    )
    _advance(change, BulkChange.State.READY)
    bulk_changes.confirm(change)
    _advance(change, BulkChange.State.DONE)


def _advance(change: BulkChange, state: BulkChange.State) -> None:
    """Work on the change, as its page does, until it is in `state`."""
    while change.state != state:
        before = change.fence
        bulk_changes.advance(change)
        change.refresh_from_db()
        if change.state != state and change.fence == before:
            raise PartFailed(f"the bulk change is {change.state}: {change.reason}")


def add_public_members(demo: Demo) -> None:
    for actor in demo.public_members:
        membership.assign("tqsp", actor.did, by=ADMIN, via=Via.ADMIN)


def list_bangers(demo: Demo) -> None:
    """Posts of the first page of whats-hot, as if chosen by hand."""
    posts = demo.posts("whats-hot")
    for rkey, chosen in (("bangers", posts[:LISTED_POSTS]), ("at-bangers", posts[LISTED_POSTS : 2 * LISTED_POSTS])):
        feed = FeedDefinition.objects.get(rkey=rkey)
        listed = set(feed.posts.values_list("uri", flat=True))
        rows = [PinnedPost(feed=feed, position=n, uri=uri) for n, uri in enumerate(chosen, 1) if uri not in listed]
        for row in rows:
            row.full_clean()
            row.save()
        _log([feed], "Posts added to the list.")


def add_search_feed(demo: Demo) -> None:
    """A feed made of a search, with its posts per day."""
    feed = FeedDefinition(
        rkey="demo-search",
        kind="search",
        display_name="Bread and sea",
        description="Posts about bread and the sea. An example of a feed that is made of a search.",
        parameters={"query": DEMO_QUERY},
    )
    feed.full_clean()
    feed.save()
    _log([feed], "Added.")
    backtests.ask(feed)


def publish(demo: Demo) -> None:
    outcome = act(FeedDefinition.objects.get(rkey="whats-hot"), "publish")
    if outcome.wrong:
        raise PartFailed(outcome.sentence)


def add_key_of_bot(demo: Demo) -> None:
    """A key, and a member whom its program adds."""
    key = keys.mint()
    admin = get_user_model().objects.get(username=ADMIN)
    row = add_key(key, scopes=["members", "stats"], feeds=["a-mpls"], note="The bot that adds members", user=admin)
    files.write_private(demo.config.data_dir / KEY_FILE, key.text + "\n")
    _log([row], "Added.")


def use_key(demo: Demo) -> None:
    key = (demo.config.data_dir / KEY_FILE).read_text().strip()
    query = urlencode({"feedName": "a-mpls", "handle": demo.strangers[0].handle})
    demo.call("PUT", f"/assign_user_to_feed?{query}", **{"X-API-Key": key})


def block(demo: Demo) -> None:
    """An author in one feed, and one post everywhere."""
    author = demo.strangers[1]
    moderation.block(author.did, feed="whats-hot", by=ADMIN, note="Too many adverts for this feed.")
    moderation.block(demo.posts("whats-hot")[-1], feed=moderation.EVERYWHERE, by=ADMIN, note="Reported by readers.")


def do_not_index(demo: Demo) -> None:
    moderation.do_not_index(demo.strangers[2].did, by=ADMIN, note="The owner asked for it.", now=timezone.now())


def plan_clean_up(demo: Demo) -> None:
    """The account whose password the demo tells has looked at what a clean-up would delete."""
    address = "127.0.0.1"
    rules = Rules(types=frozenset({RecordType.POST, RecordType.LIKE}), delete_until_days_ago=OLD_DAYS)
    with signed_in_for(OWNER_HANDLE, OWNER_APP_PASSWORD, address=address) as (found, session):
        owner_actions.create(session, found.handle, rules, permitted=False, requested_by="the demo", address=address)


def refuse_clean_ups(demo: Demo) -> None:
    """The operator keeps an account that the community shares."""
    shared = demo.strangers[3]
    row = RefusedAccount(did=shared.did, note="A shared account: ask all its owners first.", created_by=ADMIN)
    row.full_clean()
    row.save()
    _log([row], "Clean-ups of this account refused.")


def read_as_members(demo: Demo) -> None:
    """Members read all feeds, and their apps report what they did there."""
    feeds = FeedDefinition.objects.filter(enabled=True).values_list("rkey", flat=True)
    demo.wait_until_served(*feeds)
    for actor in demo.private_members[:READERS]:
        for rkey in feeds:
            posts = demo.posts(rkey, Authorization=demo.token(actor.handle, SKELETON))
            reported = [{"item": uri, "event": event} for uri, event in zip(posts, EVENTS, strict=False)]
            sent = {"feed": uri_of(rkey), "interactions": reported}
            if reported:
                demo.call("POST", f"/xrpc/{SEND}", body=sent, Authorization=demo.token(actor.handle, SEND))


def set_instructions(demo: Demo) -> None:
    """What others see in the private feed: a post of a member, which is some minutes old."""
    demo.wait_until_served("a-mpls")
    token = demo.token(demo.private_members[0].handle, SKELETON)
    feed = FeedDefinition.objects.get(rkey="a-mpls")
    feed.instructions_post = demo.posts("a-mpls", Authorization=token)[-1]
    feed.full_clean()
    feed.save()
    _log([feed], "Instructions post chosen.")


def _log(rows: Sequence[Any], message: str) -> None:
    """As the admin does after a change."""
    user = get_user_model().objects.get(username=ADMIN)
    LogEntry.objects.log_actions(user.pk, rows, ADDITION, change_message=message)


PARTS: Final[dict[str, Callable[[Demo], None]]] = {
    "members of mpls": add_private_members,
    "members of tqsp": add_public_members,
    "posts of bangers": list_bangers,
    "feed made of a search": add_search_feed,
    "published feed": publish,
    "API key": add_key_of_bot,
    "use of the API key": use_key,
    "blocks": block,
    "actor that is not indexed": do_not_index,
    "plan of a clean-up": plan_clean_up,
    "account whose clean-ups are refused": refuse_clean_ups,
    "instructions of a-mpls": set_instructions,
    "readers": read_as_members,
}


def add_community(site: Config, say: Callable[[str], None]) -> None:
    """Add the parts that were never added to this data folder; `say` gets a sentence about each that fails."""
    path = site.data_dir / DONE_FILE
    done: list[str] = json.loads(path.read_text()) if path.exists() else []
    demo = Demo(site)
    for name, part in PARTS.items():
        if name in done:
            continue
        try:
            part(demo)
        except ObjectDoesNotExist:
            pass  # an operator deleted what it needs: that is final
        except (AtsiteError, ValidationError, OSError) as error:
            say(f"{name}: {error}")
            continue
        done.append(name)
        files.write_private(path, json.dumps(done, indent=2) + "\n")
    for task in TASKS:
        current_app.send_task(task, countdown=TASK_DELAY_SECONDS, retry=False)


def member_to_try() -> str:
    """The handle of a member of mpls, for a command to try; "" if there is none."""
    dids = [Did(did) for did in ActorLabel.objects.filter(label_id="mpls").values_list("did", flat=True)[:READERS]]
    found = account_lookup.find_all(dids)
    return next((each.handle for each in found if isinstance(each, Actor) and each.handle), "")
