"""The secret token of a job: its owner has it, this site keeps only its hash."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob

#: 256 bits, which nobody can guess, so a plain hash is enough.
_BYTES = 32


def new_token() -> tuple[str, str]:
    """A token and its hash for `RepoCleanupJob.token_hash`."""
    token = secrets.token_urlsafe(_BYTES)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def opens(token: str, job: RepoCleanupJob | None) -> bool:
    """Whether the token is the job's; compares also without a job, so that the time does not tell them apart."""
    expected = job.token_hash if job is not None else ""
    return hmac.compare_digest(hash_of(token), expected or hash_of("")) and bool(token and expected)
