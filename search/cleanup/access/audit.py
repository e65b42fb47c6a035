"""The audit of clean-ups: who did what, without saying from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.config import config
from atsite.core.web.pseudonyms import pseudonym_of
from search.cleanup.models import CleanupAudit

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob

#: How the audit, the history and the reasons of a job call the person who has its token or signed in.
OWNER: Final = "the owner"


def address_hash(address: str) -> str:
    """The keyed hash of a client's address (atsite.core.web.auth), in hexadecimal; "" for no address."""
    if not address:
        return ""
    return pseudonym_of(address, purpose="cleanup.audit", secret_key=config.secret_key).hex()


def keep(job: RepoCleanupJob, action: str, *, by: str = OWNER, address: str = "") -> None:
    """Write a row; inside the transaction of the action. Raises DatabaseError."""
    CleanupAudit.objects.create(
        job_id=job.job_id, did=job.did, action=action, by=by, address_hash=address_hash(address)
    )


def keep_of_all(action: str, *, by: str) -> None:
    """Write a row about all clean-ups, as an operator pauses them; inside its transaction. Raises DatabaseError."""
    CleanupAudit.objects.create(action=action, by=by)
