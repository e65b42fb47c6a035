"""Rows that people decide, in `default`, and their copies in ClickHouse, in Redis and in each process.

- `versions`: one number for every change, issued under lock: the version of the copy and of the cache entry.
- `models`: `CopiedModel` (a row with a copy in ClickHouse, perhaps an entry in Redis) and `AnnouncedModel` (a row
  that every process may hold a copy of).
- `redis_cache`: entries in Redis; an older one never replaces a newer one. `process_copies`: copies inside a process.
- `clickhouse_copies` writes the copies that are due, `compare_copies` compares and repairs them.

The app label, the management command and the columns `published_us` keep their earlier name, "publish". Publishing a
feed to the network is feeds/publishing.
"""

from __future__ import annotations
