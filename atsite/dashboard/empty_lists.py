"""What an empty list says: what belongs there, and what to do first. By model; others say that nothing is there."""

from __future__ import annotations

from typing import Final

FIRST_STEPS: Final[dict[str, str]] = {
    "labels.label": "A label marks accounts that belong together. Add a label, then give it to members.",
    "labels.actorlabel": "No members yet. Add an account by handle, did or profile link.",
    "labels.bulkchange": "No bulk changes yet. Paste a list under Members, Add many.",
    "indexer.backfill": "No earlier posts have been fetched yet. An account appears here when it gets its first label.",
    "labels.block": "No blocks. A block keeps an author or a single post out of one feed or of all feeds and search.",
    "feeds.feeddefinition": "No feed yet. Choose a kind, preview it as readers see it, then publish it.",
    "apikeys.apikey": "No keys yet. A key lets a program change members, search or read statistics; it is shown once.",
    "apikeys.apikeyusage": "No key has been used yet. Uses appear here within five minutes.",
    "cleanup.repocleanupjob": "No clean-ups yet. A job appears here when an account plans one.",
    "feeds.feedusage": "No feed has been read yet. Counts appear here within five minutes of the first read.",
    "feeds.feedinteraction": "No interactions yet. They come from readers' apps where a feed says that it takes them.",
    "indexer.refusedactor": "Every account is indexed. To leave one out, add it by handle, did or the address of"
    " their profile: what is here of them ends, and nothing new comes in.",
    "indexer.deadletter": "None: every event could be read. An event that cannot comes here, with its reason.",
    "indexer.streamgap": "None: the stream was read without a hole.",
    "indexer.purge": "No account has been purged. Deleted accounts are purged each night.",
    "indexer.repofloor": "No floors. One is raised when an account is deleted, so that nothing older comes back.",
    "indexer.dailystats": "The first day is written within ten minutes, by the worker.",
    "admin.logentry": "No changes yet.",
}
#: Of everything that only the indexer writes.
UNTIL_INDEXED: Final = "Nothing here yet. It fills by itself as soon as the indexer runs (./just up, or run_indexer)."


def first_step(label: str) -> str:
    """The sentence for a model ("labels.block")."""
    return FIRST_STEPS.get(label, UNTIL_INDEXED if label.startswith("indexer.") else "Nothing here yet.")
