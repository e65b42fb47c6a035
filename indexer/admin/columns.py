"""Shared columns of the lists of indexed data: readable times, and actors with their names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.utils.html import format_html

from atsite.core.admin_base import CompletesRows
from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import is_did
from atsite.core.atproto.tid import CLOCK_BITS, is_tid, micros_of_tid
from atsite.core.atproto.timestamps import datetime_of_micros
from atsite.core.clickhouse.admin import ReadOnlyAdmin
from atsite.core.clickhouse.errors import ClickHouseError
from indexer.index import pasted_identifiers
from indexer.index.handles import UNVERIFIED, Name, did_of_handle, names_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from atsite.core.atproto.syntax import Did

#: Microseconds beyond the year 2100 are not shown as a time.
_LATEST_US: Final = 4_102_444_800_000_000
NOBODY: Final = Name("")


def moment(micros: int) -> str:
    """Unix microseconds as a time (UTC), to the second; an implausible number unchanged."""
    if not 0 < micros < _LATEST_US:
        return str(micros)
    return datetime_of_micros(micros)[:19].replace("T", " ")


def moment_of_version(version: int) -> str:
    """The time of a record's version or of a floor."""
    return moment(version >> CLOCK_BITS)


def moment_of_rkey(rkey: str) -> str:
    """The time of a TID; a dash for any other key."""
    return moment(micros_of_tid(rkey)) if is_tid(rkey) else "–"


def span(micros: int) -> str:
    """A duration, to the second."""
    return str(timedelta(seconds=micros // 1_000_000))


def grouped(name: str) -> Callable[[Any], str]:
    """A column of the number `name`, with thousands separators."""

    @admin.display(description=name.replace("_", " "))
    def shown(row: Any) -> str:
        return f"{getattr(row, name):,}"

    shown.__name__ = name  # the class of the column's cells
    return shown


def foreign(text: str) -> str:
    """Untrusted text, escaped and with its own text direction."""
    return format_html('<bdi class="at-foreign">{}</bdi>', text)


def called(did: str, name: Name) -> str:
    """The handle with @, or the did."""
    return f"@{name.handle}" if name.handle else did


def actor(did: str, name: Name) -> str:
    """The handle, or why there is none, with the did below; or only the did."""
    if name.unverified:
        return format_html('<span class="at-actor">{} <span class="at-mono">{}</span></span>', UNVERIFIED, did)
    if not name.handle:
        return format_html('<span class="at-mono">{}</span>', did)
    return format_html(
        '<span class="at-actor"><bdi class="at-foreign">@{}</bdi> <span class="at-mono">{}</span></span>',
        name.handle,
        did,
    )


class Named(CompletesRows):
    """Mixin for a ModelAdmin whose rows belong to an actor: shows its handle."""

    named_by: ClassVar[str] = "did"

    @admin.display(description="actor")
    def who(self, row: Any) -> str:
        """The handle with the did, or only the did."""
        return actor(self.did_of(row), self._name(row))

    def heading(self, row: Any) -> str:
        """The handle, or the did."""
        return called(self.did_of(row), self._name(row))

    def did_of(self, row: Any) -> str:
        """The did of the row's actor."""
        return str(getattr(row, self.named_by))

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add the names of the actors, from one query."""
        known = names({self.did_of(row) for row in rows})
        for row in rows:
            row.__dict__["name"] = known.get(self.did_of(row), NOBODY)

    def _name(self, row: Any) -> Name:
        if "name" not in row.__dict__:
            did = self.did_of(row)
            row.__dict__["name"] = names({did}).get(did, NOBODY)
        name: Name = row.__dict__["name"]
        return name


class NamedRows(Named, ReadOnlyAdmin):
    """Rows of the network with an actor: also found by a full handle, or by the address of an actor or post."""

    def _lookup(self, term: str) -> dict[str, Any]:
        term = pasted_identifiers.visible(term)
        if is_did(term):  # as the stream may have spelled it
            return super()._lookup(term)
        try:
            named = pasted_identifiers.actor(term)
        except pasted_identifiers.NotAnActor:
            return super()._lookup(term)
        did = named if is_did(named) else _did_of(named)
        if did is None:
            return {"pk__in": []}
        if record := pasted_identifiers.record(term):
            return super()._lookup(str(AtUri(did, record.collection, record.rkey)))
        return super()._lookup(did) if is_did(named) else self._by_actor(did)

    def _by_actor(self, did: str) -> dict[str, Any]:
        """The filter for all rows of an actor."""
        return {self.named_by: did}


def _did_of(handle: str) -> Did | None:
    try:
        return did_of_handle(handle)
    except ClickHouseError:
        return None


def names(dids: set[str]) -> dict[str, Name]:
    """The names of these actors; empty while ClickHouse is unavailable, as pages work without them."""
    try:
        return names_of(dids)
    except ClickHouseError:
        return {}
