"""The indexed data in the admin. Django imports this package; the modules register their pages."""

from __future__ import annotations

from indexer.admin import actors as actors
from indexer.admin import backfills as backfills
from indexer.admin import dead_letters as dead_letters
from indexer.admin import network_tables as network_tables
from indexer.admin import posts as posts
from indexer.admin import stream as stream
