"""What is new since a rev, with a block missing: an edited record must not be taken for the one that was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libipld
import pytest

from atsite.core.repo.cid import cid_of
from tests.core.repo.repo_files import car
from tests.search.cleanup.engine.world import POST, post, posts, rkey
from tests.search.cleanup.pds_server import CAR_TYPE, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.search.cleanup.engine.world import World
    from tests.search.cleanup.pds_server import Call

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


def without_a_block(file: bytes, number: int) -> bytes:
    """The file without one of its blocks, but never without the commit."""
    head, decoded = libipld.decode_car(file)
    root = head["roots"][0]
    blocks = {cid: libipld.encode_dag_cbor(value) for cid, value in decoded.items()}
    assert all(cid_of(content) == cid for cid, content in blocks.items())
    others = sorted(cid for cid in blocks if cid != root)
    del blocks[others[number % len(others)]]
    return car(root, blocks)


@pytest.mark.parametrize("number", range(5))
def test_what_was_edited_stays_although_the_changes_are_incomplete(number: int, world: World) -> None:
    world.account.repo.write(posts(300))
    made = world.confirmed("post")
    edited = f"{POST}/{rkey(250)}"
    world.server.before("applyWrites", lambda _: world.account.repo.write({edited: post("Edited")}))

    def damage(call: Call, go_on: Callable[[], Answer]) -> Answer | None:
        if not call.one("since"):
            return None
        whole = go_on().content
        assert isinstance(whole, bytes)
        return Answer(200, without_a_block(whole, number), {"content-type": CAR_TYPE})

    world.server.rule("getRepo", damage, times=None)
    done = world.to_end(made)
    assert list(world.account.repo.values) == [edited]
    assert (done.state, done.records_deleted, done.report["left"]) == ("completed", 299, {"changed": 1})
