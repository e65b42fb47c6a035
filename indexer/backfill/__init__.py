"""Fetching a repo's records from its PDS, for what the stream did not bring.

`rules` says what a page of records means (PURE), `repo` asks the PDS, `run` goes through the collections, and `work`
finds what is due from the rows of `indexer.index.models.Backfill` and tells there how it went.

Versions: every row of a backfill has the repo's rev as its version, asked *before* the records were listed, and never
the clock's. So whatever the stream says of later commits wins, in whatever order the two arrive.
"""

from __future__ import annotations
