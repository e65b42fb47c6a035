"""The state of the stream in the admin: floors, gaps and checkpoints, with readable times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from atsite.core.clickhouse.admin import ReadOnlyAdmin, register
from atsite.core.clock import us_of
from indexer.admin.columns import NamedRows, moment, moment_of_version, span
from indexer.index import models

if TYPE_CHECKING:
    from indexer.index.models import IndexerCheckpoint, RepoFloor, StreamGap


@register(models.RepoFloor)
class RepoFloorAdmin(NamedRows):
    list_display = ("who", "until", "reason")
    search_prefix_fields = ("did",)
    fields = ("who", "until", "reason", "floor")

    @admin.display(description="drops everything before (UTC)")
    def until(self, floor: RepoFloor) -> str:
        """The time of the floor."""
        return moment_of_version(floor.floor)


@register(models.StreamGap)
class StreamGapAdmin(ReadOnlyAdmin):
    newest_first = True
    list_display = ("begins", "ends", "length", "host", "because", "noticed_at")
    fields = ("begins", "ends", "length", "host", "because", "noticed_at", "from_us", "to_us")

    @admin.display(description="from (UTC)")
    def begins(self, gap: StreamGap) -> str:
        """The time of the last stored event before the gap."""
        return moment(gap.from_us)

    @admin.display(description="to (UTC)")
    def ends(self, gap: StreamGap) -> str:
        """The time of the first event after the gap."""
        return moment(gap.to_us)

    @admin.display(description="reason")
    def because(self, gap: StreamGap) -> str:
        """The reason in words."""
        return str(gap.reason).replace("_", " ")

    @admin.display(description="length")
    def length(self, gap: StreamGap) -> str:
        """Hours, minutes and seconds."""
        return span(gap.to_us - gap.from_us)


@register(models.IndexerCheckpoint)
class IndexerCheckpointAdmin(ReadOnlyAdmin):
    newest_first = True
    list_display = ("acked_at", "reached", "behind", "host", "protocol", "cursor", "safe_cursor")
    fields = ("acked_at", "reached", "behind", "host", "protocol", "cursor", "safe_cursor", "time_us")

    @admin.display(description="indexed up to (UTC)")
    def reached(self, checkpoint: IndexerCheckpoint) -> str:
        """The time of the last event."""
        return moment(checkpoint.time_us)

    @admin.display(description="behind")
    def behind(self, checkpoint: IndexerCheckpoint) -> str:
        """The age of the last event when it became durable."""
        acked_us = us_of(checkpoint.acked_at)
        return span(max(0, acked_us - checkpoint.time_us))
