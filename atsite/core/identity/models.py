"""Signing keys that outlive Redis (atsite.core.identity.stored_keys)."""

from __future__ import annotations

from django.db import models

from atsite.core.atproto.syntax import DID_MAX


class SigningKey(models.Model):
    """The signing key of `did`, from its document as fetched at `asked_at`."""

    did = models.CharField(max_length=DID_MAX, primary_key=True)
    #: A Multikey; empty if the document has no key, or the did has no document.
    key = models.CharField(max_length=128, blank=True)
    asked_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.did
