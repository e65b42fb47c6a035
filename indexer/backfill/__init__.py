"""Backfills: fetch a repo's records from its PDS that the stream did not bring.

`rules` compares a page of records with the index (PURE), `repo` calls the PDS, `run` goes through the collections, and
`jobs` finds due rows of `indexer.index.models.Backfill` and stores their results.

Versions: every row of a backfill has the repo's rev from *before* the listing as its version, never a clock's time. So
later commits in the stream win, in any order of arrival.
"""

from __future__ import annotations
