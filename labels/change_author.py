"""Who makes a change of labels, and from where: named once, where it begins, and kept with every row it touches.

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
    """From where a change came."""

    ADMIN = "admin", "admin page"
    BULK = "bulk", "bulk change"
    UNDO = "undo", "undo"
    API_KEY = "api key", "API key"
    SERVER = "server", "the server"  # a command, a shell, a migration


@dataclass(frozen=True, slots=True)
class Author:
    """`name`: an admin's user name or the id of an API key."""

    name: str
    via: Via


#: A person who works on the server itself and gives no name.
UNNAMED = Author("", Via.SERVER)
_current: ContextVar[Author] = ContextVar("atsite_labels_author", default=UNNAMED)


@contextmanager
def acting(name: str, via: Via) -> Iterator[None]:
    """Changes inside are this author's; the outermost one counts, as it knows best who began."""
    token = _current.set(Author(name, via) if _current.get() is UNNAMED else _current.get())
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Author:
    """The author of a change made now."""
    return _current.get()
