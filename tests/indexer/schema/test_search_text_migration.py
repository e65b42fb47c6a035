"""Migrations 0015 and 0017 on stored posts, on databases of their own: search is right before and after."""

from __future__ import annotations

import json

import pytest

from atsite.management import scratch_clickhouse

#: Rows as the last release wrote them, the migration with its background work held up, then let go.
_SCRIPT = r"""
import json, time
from django.core.management import call_command
from atsite.core.clickhouse import door
from labels.blocks import Blocks
from indexer.index.query.parse import parse
from search.posts import asked, search
from search.posts.hidden import Hidden

NOW = 1_780_000_000_000_000
INDEXES = "SELECT name FROM system.data_skipping_indices WHERE table = 'posts' ORDER BY name"
MUTATIONS = "SELECT count() FROM system.mutations WHERE table = 'posts' AND NOT is_done"

def waiting():
    return door.scalar(MUTATIONS, name="tests.mutations")

def wait_for_mutations():
    deadline = time.monotonic() + 60
    while waiting():
        assert time.monotonic() < deadline
        time.sleep(0.1)

def state():
    found = {}
    for q in ("narwhal", "é", "東京", "ｶﾊﾞﾝ", "hello"):
        where = asked.asked(parse(q), viewer=None, now=NOW).where
        page = search.page(where, Hidden(Blocks()), limit=5, cursor=None, now=NOW)
        found[q] = [post.rkey[-1] for post in page.posts]
    tags = door.column("SELECT tags FROM posts FINAL WHERE notEmpty(tags)", name="tests.tags")
    indexes = door.column(INDEXES, name="tests.indexes")
    return {"found": found, "tags": tags, "indexes": indexes}

call_command("schema", "up", verbosity=0)
call_command("schema", "down", "indexer", "0014_created_at", verbosity=0)
texts = ["“narwhal”… hello", "e\u0301 東京タワー", "カバン"]
door.execute(
    "INSERT INTO posts (rkey, did, text, tags, created_at, version)"
    " SELECT concat(substring(atsiteMicrosToTid({now:UInt64} - 60000000), 1, 12), toString(number + 2)), 'did:plc:a',"
    " {texts:Array(String)}[number + 1], if(number = 0, ['  knitting', '＃knitting', 'a  b'], []),"
    " fromUnixTimestamp64Micro(toInt64({now:UInt64} - 60000000), 'UTC'), bitShiftLeft({now:UInt64}, 10)"
    " FROM numbers(3)",
    {"now": NOW, "texts": texts},
    name="tests.rows",
)
seen = {}
door.execute("SYSTEM STOP MERGES posts", name="tests.stop")
call_command("schema", "up", verbosity=0)
seen["waiting"] = waiting() > 0
seen["meanwhile"] = state()
door.execute("SYSTEM START MERGES posts", name="tests.start")
wait_for_mutations()
seen["after"] = state()
call_command("schema", "down", "indexer", "0014_created_at", verbosity=0)
wait_for_mutations()
seen["back"] = door.column(INDEXES, name="tests.indexes")
call_command("schema", "up", verbosity=0)
wait_for_mutations()
seen["again"] = state()
print(json.dumps(seen))
"""


@pytest.mark.slow
def test_stored_posts_are_found_at_once_and_their_tags_follow() -> None:
    with scratch_clickhouse.scratch_databases() as environment:
        printed = scratch_clickhouse.manage(
            "shell", "--verbosity", "0", "-c", _SCRIPT, environment=environment, capture=True
        )
    seen = json.loads(printed)
    found = {"narwhal": ["2"], "é": ["3"], "東京": ["3"], "ｶﾊﾞﾝ": ["4"], "hello": ["2"]}
    of_lists = ["by_addressee", "by_domain", "by_link", "by_mention", "by_tag"]
    after = {"found": found, "tags": [["knitting", "a b"]], "indexes": [*of_lists, "did_bf", "tokens"]}

    assert seen["waiting"]
    assert seen["meanwhile"] == after | {"tags": [["  knitting", "＃knitting", "a  b"]]}
    assert seen["after"] == after
    assert seen["back"] == ["cj", "did_bf", "ft"]
    assert seen["again"] == after
