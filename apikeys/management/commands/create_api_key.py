"""`manage.py create_api_key`: a new key, shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apikeys import keys
from apikeys.feed_choices import FEEDS, lacking
from apikeys.models import DEFAULT_RATE, add_key
from atsite.core.copies.outcome import watched
from atsite.core.web.auth import OFFERED

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Collection

#: A hundred years.
DAYS_MAX = 36_500


class Command(BaseCommand):
    help = "Create an API key and print it. It is shown only once: the site stores only its hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scope", action="append", choices=[str(scope) for scope in OFFERED], required=True)
        parser.add_argument("--feed", action="append", default=[], help="record key of a feed that the key covers")
        parser.add_argument("--note", default="", help="what the key is used for")
        parser.add_argument("--user", default="", help="name of the user who holds the key")
        parser.add_argument("--rate", type=int, default=DEFAULT_RATE, help="calls per minute (default: %(default)s)")
        parser.add_argument("--days", type=int, help="days until the key expires (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(**options)
        key = keys.mint()
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] is not None else None
        with watched() as outcome:
            try:
                add_key(
                    key,
                    scopes=sorted(set(options["scope"])),
                    feeds=sorted(set(options["feed"])),
                    note=options["note"],
                    user=self._user(options["user"]),
                    rate_limit=options["rate"],
                    expires_at=expires_at,
                )
            except ValidationError as error:
                raise CommandError("; ".join(error.messages)) from error
        for sentence in outcome.late:
            self.stderr.write(sentence)
        self.stdout.write(key.text)

    def _user(self, name: str) -> Any:
        if not name:
            return None
        users = get_user_model()
        try:
            return users._default_manager.get_by_natural_key(name)
        except users.DoesNotExist as error:
            raise CommandError(f"there is no user {name!r}") from error


def _check(*, scope: Collection[str], feed: Collection[str], note: str, days: int | None, **_: Any) -> None:
    """Raises CommandError for a key that could not be used."""
    known = [value for value, _ in FEEDS.choices()]
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise CommandError(f"--days: expected 1 to {DAYS_MAX}")
    if unknown := sorted(set(feed) - set(known)):
        listed = ", ".join(known) or "none"
        raise CommandError(f"--feed: {', '.join(unknown)} has no members; feeds with a label: {listed}")
    match lacking(scope, feed):
        case "feeds":
            raise CommandError("--scope members also needs --feed: the feed whose members the key can change")
        case "scopes":
            raise CommandError("--feed also needs --scope members")
    if not note.isprintable():
        raise CommandError("--note: expected text on one line")
