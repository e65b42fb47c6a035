"""The search of people finds what an independent matcher finds, in its order, on every page."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from search.people.ranking import rank_people
from tests.builders import ALICE, store
from tests.search.people.worlds import World, some_query
from tests.steps import steps

if TYPE_CHECKING:
    from tests.search.service import Service

SEARCH = "/xrpc/app.bsky.unspecced.searchActorsSkeleton"
QUERIES = 120


def walk(service: Service, limit: int, **parameters: object) -> list[str]:
    """Every account of a search, page by page."""
    found: list[str] = []
    cursor: dict[str, object] = {}
    for _ in steps():
        response = service.get(SEARCH, limit=limit, **parameters, **cursor)
        assert response.status_code == 200, (parameters, response.text)
        page: dict[str, Any] = response.json()
        assert len(page["actors"]) <= limit
        found += [actor["did"] for actor in page["actors"]]
        if "hitsTotal" in page:
            assert page["hitsTotal"] == len(page["actors"])
            assert "cursor" not in page
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_query_finds_what_the_matcher_finds_in_its_order(service: Service, seed: int) -> None:
    world = World(seed, 90)
    store(*world.shuffled())
    rank_people(now=datetime.now(UTC))
    store(*world.shuffled())  # a replay changes nothing
    rng = random.Random(seed)
    hits = 0
    for _ in range(QUERIES):
        text, asked, handle = some_query(rng, world.network)
        viewer = rng.choice((None, None, rng.choice(world.dids), ALICE))
        expected = world.network.found(asked, handle, viewer)
        parameters = {"q": text} if viewer is None else {"q": text, "viewer": viewer}
        found = walk(service, rng.choice((3, 7, 25, 100)), **parameters)
        assert (text, viewer, found) == (text, viewer, expected)
        hits += len(expected)
    assert hits > 3 * QUERIES
