"""The parameters of a post search as filters of its query. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.errors import AtsiteError
from indexer.index.query import values
from indexer.index.query.tree import Filter, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The filter that each parameter is; the parameter's name is the lexicon's.
FILTERS: Final[Mapping[str, Key]] = {
    "since": Key.SINCE,
    "until": Key.UNTIL,
    "mentions": Key.MENTIONS,
    "author": Key.FROM,
    "lang": Key.LANG,
    "domain": Key.DOMAIN,
    "url": Key.URL,
    "tag": Key.TAG,
}
#: The parameter of each filter.
PARAMETERS: Final[Mapping[Key, str]] = {key: name for name, key in FILTERS.items()}


class BadParameter(AtsiteError):
    """A parameter has a value that it cannot have; the message names it."""


def filters(parameters: Mapping[str, str | list[str] | None]) -> Iterator[Filter]:
    """The filters that the given ones of FILTERS are. Raises BadParameter."""
    for name, key in FILTERS.items():
        given = parameters.get(name)
        for value in [given] if isinstance(given, str) else given or []:
            try:
                yield Filter(key, values.read(key, value))
            except values.InvalidValue as error:
                raise BadParameter(f"{name}: {error}") from error
