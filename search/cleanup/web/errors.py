"""Errors of clean-ups as answers of the API and as sentences of the page."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from atsite.core.jobs.errors import IllegalMove, JobChanged
from atsite.core.web.xrpc import XrpcError
from search.cleanup.access.sessions import SessionGone
from search.cleanup.access.sign_in import SignInRefused
from search.cleanup.engine.backups import NoBackup
from search.cleanup.jobs import AnotherJob
from search.cleanup.owner_actions import AccountRefused, NotOffered, NotPossible
from search.cleanup.planning.rules import InvalidRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atsite.core.errors import AtsiteError

#: Seconds; a pause of all clean-ups ends when an operator ends it.
_LATER: Final = "60"
_NAMES: Final[dict[type[AtsiteError], tuple[str, int]]] = {
    NotOffered: ("CleanupsUnavailable", 503),
    AccountRefused: ("AccountRefused", 403),
    AnotherJob: ("AnotherCleanup", 409),
    IllegalMove: ("NotPossible", 409),
    JobChanged: ("NotPossible", 409),
    SessionGone: ("SignInExpired", 409),
    NoBackup: ("NoBackup", 409),
    InvalidRules: ("InvalidRequest", 400),
}


@contextmanager
def translated() -> Iterator[None]:
    """Turns what the actions of owners raise into XrpcError."""
    try:
        yield
    except SignInRefused as error:
        headers = {"Retry-After": str(math.ceil(error.wait))} if error.wait else {}
        raise XrpcError(error.name, str(error), error.status, headers=headers) from error
    except NotPossible as error:
        raise XrpcError(error.name, str(error), 409) from error
    except tuple(_NAMES) as error:
        name, status = next(_NAMES[kind] for kind in type(error).__mro__ if kind in _NAMES)
        headers = {"Retry-After": _LATER} if status == 503 else {}
        raise XrpcError(name, str(error), status, headers=headers) from error
