"""What an event does, against the event itself."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

from indexer.simulator.network.events import FOLLOW, Network
from indexer.simulator.network.timeline import Timeline

TIMELINE = Timeline(seed=7, epoch_us=1_790_000_000_000_000, actors=60, preroll_events=60_000, preroll_hours=24)
EVENTS = TIMELINE.first_live + 2_000


class Effect(NamedTuple):
    """The effect of an event on accounts."""

    actor: int
    follows: int | None = None
    unfollows: int | None = None
    gone: bool = False


def test_the_deed_of_every_event_is_what_the_event_says() -> None:
    network = Network(TIMELINE)
    actors = {network.population.did(actor): actor for actor in range(60 + EVENTS // 1_000)}
    followed: dict[str, int] = {}
    kinds: Counter[str] = Counter()
    for number in range(EVENTS):
        event = json.loads(network.event(number))
        deed = network.deeds.deed(number)
        done = Effect(deed.actor, deed.follows, deed.unfollows, deed.gone)
        assert done == expected(event, actors, followed), f"event {number}: {event}"
        kinds.update(name for name in ("follows", "unfollows", "gone") if getattr(deed, name) not in (None, False))
    assert min(kinds[name] for name in ("follows", "unfollows", "gone")) > 5, kinds


def expected(event: dict[str, Any], actors: dict[str, int], followed: dict[str, int]) -> Effect:
    """The effect on accounts that the event tells of; `followed` remembers the follows by did and rkey."""
    actor = actors[event["did"]]
    if event["kind"] != "commit":
        return Effect(actor, gone=event.get("account", {}).get("status") == "deleted")
    commit = event["commit"]
    if commit["collection"] != FOLLOW:
        return Effect(actor)
    key = event["did"] + commit["rkey"]
    if commit["operation"] == "delete":
        return Effect(actor, unfollows=followed[key])
    followed[key] = actors[commit["record"]["subject"]]
    return Effect(actor, follows=followed[key])
