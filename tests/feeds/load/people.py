"""Everybody but the readers, in a process of its own: the network, the worker, and people who give and take labels.

    python -m tests.feeds.load.people < viewers

It migrates and fills the stores that its environment names, says on a line of JSON what the feeds hold, and then
changes it until its input ends. Each change is told with the moments (`time.monotonic`, the same clock for every
process) before it began and after it was done. With a store away, what cannot be done is tried again.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import django

from atsite.core.clock import now_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rows import Record

#: Posts in the hot feed, those among them in the list `bangers`, and those that are deleted meanwhile.
HOT, LISTED, DELETED = 150, 40, 60
#: Authors of the private and of the public community, and how many posts each has; of the public ones, the last
#: CHANGING come and go.
PRIVATE_AUTHORS, PUBLIC_AUTHORS, CHANGING, POSTS_EACH = 10, 30, 15, 5
STEP_SECONDS: Final = 0.1
INSTRUCTIONS: Final = "at://did:plc:iiiiiiiiiiiiiiiiiiiiiiii/app.bsky.feed.post/3kabcdefghij2"


def say(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


@dataclass
class People:
    """`viewers`: a third carries the private label, a third gets and loses it, a third never has it."""

    viewers: list[str]
    now: int = 0
    hot: list[Record] = field(default_factory=list)
    deletes: list[tuple[Record, float]] = field(default_factory=list)

    def fill(self) -> None:
        """The stores as they are when the readers come."""
        from atsite.core.atproto.syntax import Did
        from feeds.models import FeedDefinition, PinnedPost
        from labels import membership
        from tests import builders as b
        from tests.feeds import worlds
        from tests.feeds.kind_cases import posts_of
        from tests.feeds.worlds import actor

        self.now = now_us()
        rows = worlds.liked_posts(HOT, now=self.now, likes=3)
        self.hot = posts_of(rows)
        private = self._community(5000, PRIVATE_AUTHORS)
        public = self._community(6000, PUBLIC_AUTHORS)
        b.store(*rows, *private, *public)
        listed = [post.uri for post in self.hot[:LISTED]]
        bangers = FeedDefinition.objects.get(rkey="bangers")
        for position, uri in enumerate(listed):
            PinnedPost.objects.create(feed=bangers, position=position, uri=uri)
        FeedDefinition.objects.filter(rkey="a-mpls").update(instructions_post=INSTRUCTIONS)
        for label, rows_of in (("mpls", private), ("tqsp", public)):
            for did in sorted({post.did for post in rows_of}):
                membership.assign(label, did, by="test")
        for viewer in self.viewers[: len(self.viewers) // 3]:
            membership.assign("mpls", Did(viewer), by="test")
        self.refresh()
        lasting = {actor(6000 + number) for number in range(PUBLIC_AUTHORS - CHANGING)}
        say(
            what="ready",
            hot=[post.uri for post in self.hot],
            listed=listed,
            private=[post.uri for post in private],
            public=[post.uri for post in public],
            public_lasting=[post.uri for post in public if post.did in lasting],
        )

    def _community(self, first: int, authors: int) -> list[Record]:
        from tests import builders as b
        from tests.feeds.worlds import MINUTE, actor

        return [
            b.post(actor(first + author), at=self.now - (20 + author + number * authors) * MINUTE, text=f"{number}")
            for author in range(authors)
            for number in range(POSTS_EACH)
        ]

    def change(self, stop: threading.Event) -> None:
        """Change everything, a little at a time, until told to stop."""
        steps = self._steps()
        while not stop.wait(STEP_SECONDS):
            next(steps)

    def _steps(self) -> Iterator[None]:
        from atsite.core.atproto.syntax import Did
        from tests.feeds.worlds import actor

        third = len(self.viewers) // 3
        coming = cycle([Did(viewer) for viewer in self.viewers[third : 2 * third]])
        authors = cycle([actor(6000 + number) for number in range(PUBLIC_AUTHORS - CHANGING, PUBLIC_AUTHORS)])
        doomed = iter(self.hot[1 : 2 * DELETED : 2])
        for step in cycle(range(20)):
            self.turn("mpls", next(coming))
            if step % 4 == 0:
                self.turn("tqsp", next(authors))
            if step % 10 == 2:
                self.like()
                self.refresh()
            if step % 10 == 5:
                self.delete(next(doomed, None))
            if step % 10 == 7:
                self.publish()
            yield

    def turn(self, label: str, did: Any) -> None:
        """Give the label to who has not got it, take it from who has."""
        from labels import membership
        from labels.models import ActorLabel

        has = ActorLabel.objects.filter(label_id=label, did=did).exists()
        began = time.monotonic()
        change = membership.remove(label, did, by="test") if has else membership.assign(label, did, by="test")
        say(what="label", label=label, did=did, has=not has, began=began, ended=time.monotonic(), late=change.late)

    def like(self) -> None:
        """Someone likes one of the posts, so that the next ranking has another order."""
        from atsite.core.clickhouse.errors import ClickHouseError
        from tests import builders as b
        from tests.feeds.worlds import actor

        moment = now_us()
        likes = [b.like(actor(8000 + liker), self.hot[moment % HOT], at=moment + liker) for liker in range(25)]
        try:
            b.store(*likes)
        except ClickHouseError:
            return

    def refresh(self) -> None:
        """What the worker does, without waiting for the minute."""
        from feeds.tasks import refresh_feeds

        refresh_feeds(force=True)

    def delete(self, post: Record | None) -> None:
        """Delete a post, and those whose delete did not go through."""
        from atsite.core.clickhouse.errors import ClickHouseError
        from tests import builders as b

        if post is not None:
            self.deletes.append((b.delete(post, at=now_us()), time.monotonic()))
            say(what="deleting", uri=post.uri, began=self.deletes[-1][1])
        for row, began in list(self.deletes):
            try:
                b.store(row)
            except ClickHouseError:
                return
            self.deletes.remove((row, began))
            say(what="deleted", uri=row.uri, ended=time.monotonic())

    def publish(self) -> None:
        """What the worker does each minute."""
        from atsite.core.clickhouse.errors import ClickHouseError
        from atsite.core.copies.tasks import copy_all_due

        try:
            copy_all_due()
        except ClickHouseError:
            return


def main() -> None:
    """Read the viewers, fill the stores, and change them until the input ends."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "atsite.settings"
    django.setup()
    from django.core.management import call_command

    from atsite.core.telemetry import configure_logs

    configure_logs(as_json=False)  # to stderr

    for database in ("default", "clickhouse"):
        call_command("migrate", database=database, verbosity=0)
    people = People(json.loads(sys.stdin.readline()))
    people.fill()
    stop = threading.Event()
    changing = threading.Thread(target=people.change, args=(stop,), daemon=True)
    sys.stdin.readline()
    changing.start()
    while changing.is_alive() and sys.stdin.readline():
        pass
    stop.set()
    changing.join(60)


if __name__ == "__main__":
    main()
