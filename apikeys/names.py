"""Names of API keys, for the pages of other apps (labels.admin.names)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apikeys.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Collection


def names_of(key_ids: Collection[str]) -> dict[str, str]:
    """The note of each id that is a key, also if revoked; the id if the key has no note."""
    rows = ApiKey.every.filter(key_id__in=key_ids).values_list("key_id", "note")
    return {key_id: note.strip() or key_id for key_id, note in rows}
