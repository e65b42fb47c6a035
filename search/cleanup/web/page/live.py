"""The live numbers of a clean-up, for the page of its owner while they are signed in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.urls import path

from atsite.core.web import live_socket
from search.cleanup.models import RepoCleanupJob
from search.cleanup.web.page import person as people
from search.cleanup.web.page.frame import is_our_host
from search.cleanup.web.page.progress import progress_of

if TYPE_CHECKING:
    from atsite.core.web.live_socket import App, Scope


async def _read(scope: Scope) -> str:
    return str(await database_sync_to_async(_progress)(_job_id(scope)))


def _progress(job_id: str) -> str:
    return json.dumps(progress_of(RepoCleanupJob.objects.get(job_id=job_id)))


async def _welcome(scope: Scope) -> bool:
    """Whether the session belongs to the owner of the clean-up, and the page to this host."""
    key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    if not key or not is_our_host(host):
        return False
    try:
        return bool(await database_sync_to_async(_owns)(key, _job_id(scope)))
    except DatabaseError:
        return False  # fails closed


def _owns(key: str, job_id: str) -> bool:
    person = people.of(SessionStore(key))
    return person is not None and person.job(job_id) is not None


def _job_id(scope: Scope) -> str:
    found: str = scope["url_route"]["kwargs"]["job_id"]
    return found


def application() -> App:
    """Every websocket of the search service."""
    socket = live_socket.sending(_read, _welcome)
    return live_socket.routed([path("cleanup/live/<slug:job_id>/", socket)])  # type: ignore[arg-type]
