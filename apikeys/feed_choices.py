"""The feeds that a key may cover, as choices of a form. The app `feeds` provides those with members; here they are
only rkeys and names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from atsite.core.form_choices import FormChoices
from atsite.core.web.auth import Scope

if TYPE_CHECKING:
    from collections.abc import Collection

FEEDS: Final = FormChoices("feeds of keys", gone="no feed with members has this name")


def lacking(scopes: Collection[str], feeds: Collection[str]) -> Literal["feeds", "scopes"] | None:
    """What a key lacks: the scope `members` needs feeds, and feeds need the scope `members`."""
    if (Scope.MEMBERS in scopes) == bool(feeds):
        return None
    return "scopes" if feeds else "feeds"
