"""The base of commands that can fail in ways that a person can mend."""

from __future__ import annotations

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
