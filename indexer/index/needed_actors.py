"""The actors that the site needs. Apps provide functions that list them (in AppConfig.ready)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from atsite.core.atproto.syntax import Did
from atsite.core.extension_point import ExtensionPoint

DidProvider = Callable[[], Iterable[Did]]

#: Actors to fetch names and counts for (indexer.fill), the most needed first: labelled actors 10, authors in rankings
#: 20, authors in search results 30, recent posters 40.
TO_FILL: Final = ExtensionPoint[DidProvider]("actors to fill")
#: Actors to subscribe to in addition to WANTED_DIDS, if that is set (indexer.stream). Changes of these lists must move
#: the version of atsite.core.copies.versions.
TO_STREAM: Final = ExtensionPoint[DidProvider]("actors whose events are wanted")
