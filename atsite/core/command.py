"""The base of commands that can fail in ways that a person can mend, and the type of an argument."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.errors import AtsiteError


class SiteCommand(BaseCommand):
    """A command whose AtsiteError is one line for the terminal, without a traceback."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it. Raises CommandError."""
        try:
            return super().execute(*args, **options)
        except AtsiteError as error:
            raise CommandError(str(error)) from error


def port(text: str) -> int:
    """The type of an argument that is a port; 0 chooses a free one. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not a port: expected a whole number from 0 to 65535")
    return int(text)
