"""Signals of the feed generator (django.dispatch)."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

#: Sent when a reader gets a page. `feed`: the record key; `viewer`: a did, or None for a reader who is not logged in.
page_read: Final = Signal()
