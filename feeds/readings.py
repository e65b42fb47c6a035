"""That someone read a page of a feed, told to those who count it (django.dispatch)."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

#: Sent with `feed` (its record key) and `viewer` (a did; None: someone who is not logged in).
page_read: Final = Signal()
