"""The author of a change of labels and where it came from: set once, where the change begins, and stored with its rows.

with acting("anna", Via.ADMIN):
    membership.save()
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterator


class Via(models.TextChoices):
    """Where a change came from."""

    ADMIN = "admin", "admin page"
    BULK = "bulk", "bulk change"
    UNDO = "undo", "undo"
    API_KEY = "api key", "API key"
    SERVER = "server", "the server"  # a command, a shell, a migration


@dataclass(frozen=True, slots=True)
class Author:
    """`name`: a user name or the id of an API key."""

    name: str
    via: Via


#: A person on the server (a command or a shell), without a name.
UNNAMED = Author("", Via.SERVER)
_current: ContextVar[Author] = ContextVar("atsite_labels_author", default=UNNAMED)


@contextmanager
def acting(name: str, via: Via) -> Iterator[None]:
    """Set the author of changes made inside. If nested, the outermost one counts."""
    token = _current.set(Author(name, via) if _current.get() is UNNAMED else _current.get())
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Author:
    """The author of a change made now."""
    return _current.get()
