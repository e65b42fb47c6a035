"""`manage.py remove_interactions DID`: deletes the interactions that an account sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.atproto.syntax import parse_account_did
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from feeds.usage.counting import pseudonym
from feeds.usage.queries import remove_interactions

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Delete the interactions (app.bsky.feed.sendInteractions) that an account sent in the last 30 days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("did", help="the account, such as did:plc:ewvi7nxzyoun6zhxrhs64oiz")
        parser.add_argument(
            "--secret-key-file",
            type=Path,
            help="a file with an earlier SECRET_KEY, for rows that were written while it was used",
        )

    def handle(self, *args: Any, did: str, secret_key_file: Path | None, **options: Any) -> None:
        try:
            sender = parse_account_did(did, loopback=config.allow_loopback)
            key = config.secret_key if secret_key_file is None else secret_key_file.read_text("utf-8").strip()
            removed = remove_interactions(pseudonym(sender, secret_key=key).hex())
        except (AtsiteError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"removed {removed} interactions; interactions of the last seconds may not be written yet")
