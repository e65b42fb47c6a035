"""The feeds in the admin. Django imports this package; the modules register their pages."""

from __future__ import annotations

from feeds.admin import feeds as feeds
