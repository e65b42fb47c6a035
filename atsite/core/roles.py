"""The roles of the admin and their rights. `migrate` writes them into the groups (atsite/role_groups.py).

A role grants verbs on models ("labels.block"; "labels.*" is every other model of the app) and rights: actions beyond
viewing, adding, changing or deleting a row. A user has any number of roles; superusers need none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AnonymousUser, User
    from django.http import HttpRequest


class Right(StrEnum):
    """An action of the admin beyond a plain edit; the value is the codename of its permission in the app `atsite`."""

    SEE_NUMBERS = "see_numbers"
    PREVIEW_FEED = "preview_feed"
    REFRESH_FEED = "refresh_feed"
    PUBLISH_FEED = "publish_feed"
    MINT_KEY = "mint_key"
    ROTATE_KEY = "rotate_key"
    REVOKE_KEY = "revoke_key"
    BULK_LABEL = "bulk_label"
    EXPORT_LABELS = "export_labels"
    BACKFILL = "backfill"
    PURGE_AUTHOR = "purge_author"
    RETRY_DEAD_LETTERS = "retry_dead_letters"
    CANCEL_JOB = "cancel_job"
    RETRY_JOB = "retry_job"
    PAUSE_CLEANUPS = "pause_cleanups"

    @property
    def permission(self) -> str:
        """As `has_perm` takes it."""
        return f"atsite.{self.value}"


#: The meaning of each right, as the form of a role shows it.
MEANINGS: Final[Mapping[Right, str]] = {
    Right.SEE_NUMBERS: "see the numbers of the overview",
    Right.PREVIEW_FEED: "preview a feed as its readers see it",
    Right.REFRESH_FEED: "refresh a feed now",
    Right.PUBLISH_FEED: "publish and unpublish a feed",
    Right.MINT_KEY: "create an API key",
    Right.ROTATE_KEY: "give an API key a new secret",
    Right.REVOKE_KEY: "revoke an API key for good",
    Right.BULK_LABEL: "add and remove many members at once",
    Right.EXPORT_LABELS: "download the list of members",
    Right.BACKFILL: "fetch an actor's earlier posts",
    Right.PURGE_AUTHOR: "purge an author's data and stop indexing the author",
    Right.RETRY_DEAD_LETTERS: "try dead letters again",
    Right.CANCEL_JOB: "cancel a clean-up",
    Right.RETRY_JOB: "try a clean-up again",
    Right.PAUSE_CLEANUPS: "pause all clean-ups, and let them go on",
}

VIEW: Final = frozenset({"view"})
EDIT: Final = frozenset({"view", "add", "change", "delete"})


@dataclass(frozen=True, slots=True)
class Role:
    """A group that the site maintains."""

    name: str
    meaning: str
    models: Mapping[str, frozenset[str]]
    rights: frozenset[Right]

    def verbs(self, model: str) -> frozenset[str]:
        """The verbs that it grants on the rows of a model ("labels.block")."""
        app = model.partition(".")[0]
        return self.models.get(model, self.models.get(f"{app}.*", frozenset()))


#: Of clean-ups: sealed tokens are for no one, and refused accounts and the audit are for operators.
_CLOSED: Final[dict[str, frozenset[str]]] = dict.fromkeys(
    ("cleanup.pdssession", "cleanup.refusedaccount", "cleanup.cleanupaudit"), frozenset()
)
VIEWERS: Final = Role(
    "viewers",
    "see everything except users, refused accounts and audits; change nothing",
    {**{f"{app}.*": VIEW for app in ("labels", "apikeys", "feeds", "cleanup", "indexer")}, **_CLOSED},
    frozenset({Right.SEE_NUMBERS}),
)
MODERATORS: Final = Role(
    "moderators",
    "manage labels, members and blocks, and preview feeds",
    {**VIEWERS.models, "labels.*": EDIT},
    VIEWERS.rights | {Right.PREVIEW_FEED, Right.BULK_LABEL, Right.EXPORT_LABELS},
)
OPERATORS: Final = Role(
    "operators",
    "run the site: everything except what only superusers may do",
    {
        **{f"{app}.*": EDIT for app in ("labels", "apikeys", "feeds", "cleanup")},
        **_CLOSED,
        "cleanup.refusedaccount": EDIT,
        "cleanup.cleanupaudit": VIEW,
        "indexer.*": VIEW,
        "auth.user": EDIT,
        "auth.group": VIEW,
        "admin.logentry": VIEW,
    },
    frozenset(Right),
)
ROLES: Final = (OPERATORS, MODERATORS, VIEWERS)


def may(user: User | AnonymousUser, right: Right) -> bool:
    """Whether the user has the right, through a role or as superuser."""
    return user.has_perm(right.permission)


def demand(request: HttpRequest, right: Right) -> None:
    """Raises PermissionDenied (403) for a user without the right."""
    if not may(request.user, right):
        raise PermissionDenied(MEANINGS[right])
