"""The other records of the simulated network, as JSON text: profiles and what foreign lexicons store."""

from __future__ import annotations

from typing import Final

from indexer.simulator.network.cids import blob_cid
from indexer.simulator.network.words import ALT_TEXTS, FILLERS, PHRASES

PROFILE: Final = "app.bsky.actor.profile"
# Lexicons of other applications, and parts of Bluesky that the site stores raw; the last has keys that are no TIDs.
FOREIGN_COLLECTIONS: Final = (
    "app.bsky.graph.list",
    "app.bsky.graph.listitem",
    "test.demo.recipes.recipe",
    "test.demo.chess.move",
    "test.demo.books.reading",
    "test.demo.stream.broadcast",
)


def profile(name: str, language: str, created_at: str, draw: int, version: int) -> str:
    """A profile; one in four has no avatar, one in seven no description."""
    avatar = (
        f'"avatar":{{"$type":"blob","ref":{{"$link":"{blob_cid(f"a{version}")}"}},"mimeType":"image/jpeg",'
        '"size":48000},'
        if draw % 4
        else ""
    )
    openings = PHRASES[language].openings
    description = (
        f'"description":"{openings[draw % len(openings)]} {FILLERS[draw % len(FILLERS)]}",' if draw % 7 else ""
    )
    return (
        f'{{"$type":"{PROFILE}",{avatar}"createdAt":"{created_at}",{description}'
        f'"displayName":"{name.capitalize()} {FILLERS[version % len(FILLERS)]}"}}'
    )


def foreign(collection: str, did: str, created_at: str, draw: int) -> str:
    """A record of a lexicon this project does not know."""
    return (
        f'{{"$type":"{collection}","createdAt":"{created_at}","name":"{ALT_TEXTS[draw % len(ALT_TEXTS)]}",'
        f'"owner":"{did}","steps":[1,{draw},{{"nested":true}}]}}'
    )
