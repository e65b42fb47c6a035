"""What an empty list says: what belongs there, and what to do first. By model; others say that nothing is there."""

from __future__ import annotations

from typing import Final

FIRST_STEPS: Final[dict[str, str]] = {
    "labels.label": "A label is a word for those who belong together. Make one, then give it to members.",
    "labels.actorlabel": "Nobody carries a label yet. Add somebody by handle, did or the address of their profile.",
    "labels.bulkchange": "Nothing was done to many at once yet. Paste a list under Members, Add many.",
    "indexer.backfill": "Nobody's earlier posts were fetched yet. Whoever gets a first label comes here.",
    "labels.block": "Nobody is blocked. A block keeps an author or a single post out of one feed or of all.",
    "feeds.feeddefinition": "No feed yet. Choose a kind, preview it as readers see it, then publish it.",
    "apikeys.apikey": "No keys yet. A key lets a program change members, search or read statistics; it is shown once.",
    "apikeys.apikeyusage": "No key has been used yet. Uses appear here within five minutes.",
    "cleanup.repocleanupjob": "Nobody has asked for a clean-up. Jobs appear here when an account plans one.",
    "feeds.feedusage": "Nobody has read a feed yet. Counts appear here within five minutes of the first reading.",
    "feeds.feedinteraction": "No interactions yet. They come from readers' apps where a feed says that it takes them.",
    "indexer.refusedactor": "Everybody is indexed. Add whose records must not be here, by handle, did or the address of"
    " their profile: what is here of them ends, and nothing new comes in.",
    "indexer.deadletter": "None: every event could be read. An event that cannot comes here, with its reason.",
    "indexer.streamgap": "None: the stream was read without a hole.",
    "indexer.purge": "No account has been purged. Deleted accounts are purged each night.",
    "indexer.repofloor": "No floors. One is raised when an account is deleted, so that nothing older comes back.",
    "indexer.dailystats": "The first day is written within ten minutes, by the worker.",
    "admin.logentry": "Nobody has changed anything here yet.",
}
#: Of everything that only the indexer writes.
UNTIL_INDEXED: Final = "Nothing here yet. It fills by itself as soon as the indexer runs (./just up, or run_indexer)."


def first_step(label: str) -> str:
    """The sentence for a model ("labels.block")."""
    return FIRST_STEPS.get(label, UNTIL_INDEXED if label.startswith("indexer.") else "Nothing here yet.")
