"""What people decide, in `default`, and how the rest of the site learns of it.

- `versions`: one number for every change, issued under lock: the copy's and the cache entry's version.
- `models`: `PublishedModel` (a row with a copy in ClickHouse, perhaps an entry in Redis) and `AnnouncedModel` (a row
  of which every process may hold a local copy).
- `cache`: entries in Redis of which an older one never replaces a newer; `local`: copies inside a process.
- `copies` publishes what is due, `checking` compares both sides and mends.
"""

from __future__ import annotations
