"""The text of an empty list, by model: what belongs there, and what to do first."""

from __future__ import annotations

from typing import Final

FIRST_STEPS: Final[dict[str, str]] = {
    "labels.label": "A label marks accounts that belong together. Add a label, then add members to it.",
    "labels.actorlabel": "No members yet. Add an account by handle, did or profile link.",
    "labels.bulkchange": "No bulk changes yet. To make one, paste a list under Members, Add many.",
    "indexer.backfill": "No earlier posts have been fetched yet. An account appears here when it gets its first label.",
    "labels.block": "No blocks. A block keeps an author or a single post out of one feed or of all feeds and search.",
    "feeds.feeddefinition": "No feed yet. Choose a kind, preview it as readers see it, then publish it.",
    "apikeys.apikey": "No keys yet. A key lets a program change members, search or read statistics; it is shown once.",
    "apikeys.apikeyusage": "No key has been used yet. Uses appear here within five minutes.",
    "cleanup.repocleanupjob": "No clean-ups yet. A job appears here when the owner of an account begins one.",
    "cleanup.refusedaccount": "Clean-ups are offered for every account. To refuse them for one, add its handle, did or"
    " profile address.",
    "cleanup.cleanupaudit": "No one has begun a clean-up in the last 90 days. Each step of one appears here.",
    "feeds.feedusage": "No feed has been read yet. Counts appear here within five minutes of the first read.",
    "feeds.feedinteraction": "No interactions yet. Readers' apps send them for feeds that accept them.",
    "indexer.refusedactor": "Every account is indexed. To exclude one, add its handle, did or profile address:"
    " its data here is deleted, and nothing new is indexed.",
    "indexer.deadletter": "No dead letters: every event could be read. Those that cannot appear here, with the reason.",
    "indexer.streamgap": "No gaps: the stream was read without interruption.",
    "indexer.purge": "No account has been purged. Deleted accounts are purged each night.",
    "indexer.repofloor": "No floors. When an account is deleted, it gets a floor, and nothing older is indexed again.",
    "indexer.dailystats": "No statistics yet. The worker writes the first day within ten minutes.",
    "admin.logentry": "No changes yet.",
}
#: For every other table that only the indexer writes.
UNTIL_INDEXED: Final = "Nothing here yet. Rows appear as soon as the indexer runs (./just up, or run_indexer)."


def first_step(label: str) -> str:
    """The sentence for a model ("labels.block")."""
    return FIRST_STEPS.get(label, UNTIL_INDEXED if label.startswith("indexer.") else "Nothing here yet.")
