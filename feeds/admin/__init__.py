"""The admin pages of feeds. Django imports this package; its modules register the pages."""

from __future__ import annotations

from feeds.admin import feeds as feeds
