"""Which actors the site needs: the apps that need them provide functions that say so (in AppConfig.ready)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from atsite.core.atproto.syntax import Did
from atsite.core.extension_point import ExtensionPoint

DidProvider = Callable[[], Iterable[Did]]

#: Whose names and counts are asked for (indexer.fill), the most needed first: labelled actors 10, authors in rankings
#: 20, authors in search results 30, recent posters 40.
TO_FILL: Final = ExtensionPoint[DidProvider]("actors to fill")
#: Whose events are asked of the stream beside WANTED_DIDS, where that is set (indexer.stream). Their changes
#: are published: they move the version of atsite.core.copies.versions.
TO_STREAM: Final = ExtensionPoint[DidProvider]("actors whose events are wanted")
