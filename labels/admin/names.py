"""Names of actors and API keys for admin pages; without those of actors if ClickHouse is down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final

import structlog
from django.contrib import messages

from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.extension_point import ExtensionPoint
from indexer.admin import columns
from indexer.index.handles import names_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from indexer.index.handles import Name

log = structlog.get_logger(__name__)

KEY_NAMES: Final = ExtensionPoint[Callable[[Collection[str]], Mapping[str, str]]]("names of API keys")
#: Maximum characters shown of a key's note.
KEY_CHARACTERS = 64


def names_or_warning(request: HttpRequest, dids: Collection[str]) -> dict[str, Name]:
    """The name of each did, from one query; if it fails, nothing and a warning on the page."""
    try:
        return names_of(dids)
    except ClickHouseError as error:
        log.warning("members.without_names", error=type(error).__name__)
        messages.warning(request, "ClickHouse does not answer: names are not shown.")
        return {}


def called(did: str) -> str:
    """The handle with "@"; the did if none is known or ClickHouse is down."""
    return columns.called(did, columns.names({did}).get(did, columns.NOBODY))


def author_names(authors: Collection[str]) -> dict[str, str]:
    """How to show each author of a change: users by name, API keys by their note.

    The app `apikeys`, which this app does not import, provides the notes (KEY_NAMES).
    """
    ids = {author for author in authors if author}
    keys = {key_id: name for source in KEY_NAMES.providers() for key_id, name in source(ids).items()}
    return {author: _key(keys[author]) if author in keys else author for author in authors}


def _key(name: str) -> str:
    line = name.strip().partition("\n")[0].strip()
    return f"key {line if len(line) <= KEY_CHARACTERS else line[:KEY_CHARACTERS] + '…'}"
