"""Measures pages of the admin over a table of 20 million rows.

    ./just bench admin [--rows N]

The real admin on real stores: the list, an old page of it, a search by author, by handle and by key, and a row, of
posts and of actors, over HTTP. In the same run it also measures the count query that Django's own paginator
would add to each of these pages. Prints a table; writes .data/bench/admin.json.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import httpx

from atsite.core.clock import now_us
from bench.indexer import MANAGE, keep, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS: Final = 20_000_000
#: Rows of one INSERT, so that it takes at most a second and little memory.
CHUNK: Final = 2_000_000
#: Each page is requested once to warm up, then this often; the median counts.
TIMES: Final = 5
#: The password of a site that runs for a minute on loopback.
PASSWORD: Final = "bench"
#: Three days of posts that end now, by half a million authors; a tenth of the posts come in two versions.
POSTS = """
INSERT INTO posts (rkey, did, cid, text, langs, embed_kind, created_at, time_us, version)
SELECT
    atsiteMicrosToTid({start:UInt64} + number * {step:UInt64}) AS key,
    concat('did:plc:', leftPad(toString(number * 7919 % 500000), 24, 'a')),
    'bafyreib',
    concat('word', toString(number % 997), ' and word', toString(number % 1009)),
    ['en'],
    '',
    fromUnixTimestamp64Micro(toInt64({start:UInt64} + number * {step:UInt64}), 'UTC'),
    {start:UInt64} + number * {step:UInt64},
    bitShiftLeft({start:UInt64} + number * {step:UInt64}, 10)
FROM numbers({first:UInt64}, {rows:UInt64})
"""
IDENTITIES = """
INSERT INTO actor_identities
SELECT concat('did:plc:', leftPad(toString(number), 24, 'a')), concat('actor', toString(number), '.example.com'),
    {start:UInt64}, {start:UInt64}
FROM numbers({first:UInt64}, {rows:UInt64})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atsite-bench-")))
        stack.enter_context(stores(folder))
        import django

        django.setup()
        began = time.monotonic()
        fill(arguments.rows)
        say(f"{arguments.rows:,} posts and actors written in {time.monotonic() - began:.0f} s")
        browser = stack.enter_context(admin())
        result = {"rows": arguments.rows, "cores": os.cpu_count(), "seconds": {**pages(browser), **counts()}}
    show(result)
    keep("admin", result)


def fill(rows: int) -> None:
    """Write the posts and the same number of actors."""
    from atsite.core.clickhouse import door

    step = 3 * 86_400_000_000 // rows
    start = now_us() - rows * step
    for first in range(0, rows, CHUNK):
        params = {"start": start, "step": step, "first": first, "rows": min(CHUNK, rows - first)}
        door.execute(POSTS, params, name="bench.posts", limits=door.TASK)
        identities = {name: value for name, value in params.items() if name != "step"}
        door.execute(IDENTITIES, identities, name="bench.identities", limits=door.TASK)
    door.execute(POSTS, params | {"rows": CHUNK // 10}, name="bench.posts_again", limits=door.TASK)


@contextmanager
def admin() -> Iterator[httpx.Client]:
    """The admin in a separate process, and a logged-in browser."""
    from django.contrib.auth.models import User

    from atsite.core.embedded.ports import free_port

    User.objects.create_superuser("bench", password=PASSWORD)
    port = free_port(set())
    command = [*MANAGE, "run_admin", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"METRICS_PORT": "0"}, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, follow_redirects=True) as browser:
            log_in(browser)
            yield browser
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def log_in(browser: httpx.Client) -> None:
    give_up = time.monotonic() + 60
    while True:
        try:
            browser.get("/admin/login/")
            break
        except httpx.TransportError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)
    form = {"username": "bench", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    answer = browser.post("/admin/login/?next=/admin/", data=form, headers={"Referer": str(browser.base_url)})
    assert answer.status_code == 200, answer.text


def pages(browser: httpx.Client) -> dict[str, float]:
    """The seconds of each page."""
    posts, actors = "/admin/indexer/post/", "/admin/indexer/actor/"
    did = "did:plc:" + "123456".rjust(24, "a")
    listed = browser.get(posts).text
    row = re.search(r'href="(/admin/indexer/post/[^"?]*/change/)', listed)
    assert row is not None, listed[-2000:]

    def page(address: str, **query: str) -> Callable[[], Any]:
        return lambda: browser.get(address, params=query).raise_for_status()

    return {
        "posts: the newest": seconds(page(posts)),
        "posts: page 100": seconds(page(posts, p="100")),
        "posts: one author, by did": seconds(page(posts, q=did)),
        "posts: one author, by handle": seconds(page(posts, q="actor123456.example.com")),
        "posts: beginning of a key": seconds(page(posts, q=row[1].split("/")[4][:8])),
        "posts: a row": seconds(page(row[1])),
        "actors: the last": seconds(page(actors)),
        "actors: page 100": seconds(page(actors, p="100")),
        "actors: a whole handle": seconds(page(actors, q="actor123456.example.com")),
        "actors: beginning of a handle": seconds(page(actors, q="actor12345")),
        "actors: beginning of every handle": seconds(page(actors, q="actor")),
        "actors: a handle that no account has": seconds(page(actors, q="zoe.example.com")),
        "actors: beginning of a did": seconds(page(actors, q=did[:-3])),
    }


def counts() -> dict[str, float]:
    """The seconds of the count query that Django's own paginator would add to each page."""
    from indexer.index.models import Actor, Post

    return {
        "the count of posts that is not asked for": seconds(lambda: Post.objects.count(), times=1),
        "the count of actors that is not asked for": seconds(lambda: Actor.objects.count(), times=1),
    }


def seconds(call: Callable[[], Any], *, times: int = TIMES) -> float:
    """The median of some calls, after one to warm up."""
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        try:
            call()
        except Exception as error:  # a count may exceed the site's limits of time or memory: that is a result
            say(f"  ({type(error).__name__}: {str(error).splitlines()[0][:120]})")
        taken.append(time.perf_counter() - began)
    return round(median(taken[1:]), 3)


def show(result: dict[str, Any]) -> None:
    say(f"\n{result['rows']:,} rows, {result['cores']} cores; seconds (median of {TIMES})")
    for name, value in result["seconds"].items():
        say(f"  {name:<42}{value:>8.3f}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
