"""`manage.py viewer_token HANDLE`: read a feed of the demo as one of its accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from django.core.management.base import CommandError
from django.db import DatabaseError

from atsite.core.atproto.syntax import is_handle, is_nsid, is_rkey
from atsite.core.command import SiteCommand
from atsite.core.config import SERVICE_PORTS, config
from feeds.models import FeedDefinition
from indexer.simulator.demo import FOLDER, LOOPBACK, PUBLISHER
from indexer.simulator.network.viewer_token import viewer_token

if TYPE_CHECKING:
    from argparse import ArgumentParser

SKELETON: Final = "app.bsky.feed.getFeedSkeleton"


class Command(SiteCommand):
    help = "Print a curl line that reads a feed of the demo as one of its accounts. Works only in the demo."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("handle", help="handle of an account of the simulated network, such as mira.demo.test")
        parser.add_argument("--feed", default="whats-hot", metavar="RKEY", help="the feed to read (default: whats-hot)")
        parser.add_argument(
            "--method", default=SKELETON, metavar="NSID", help=f"the method that the token allows (default: {SKELETON})"
        )

    def handle(self, *args: object, handle: str, feed: str, method: str, **options: object) -> None:
        if config.environment != "demo":
            raise CommandError(
                f"ATSITE_ENVIRONMENT={config.environment} is set: only the demo knows the keys of its accounts"
            )
        handle = handle.removeprefix("@")
        if not is_handle(handle) or not is_rkey(feed) or not is_nsid(method):
            raise CommandError("expected a handle; --feed takes a record key, --method an NSID")
        # The demo on its usual ports, or moved by PORT_OFFSET; with --free-ports SERVICE_ENDPOINT says where it is.
        endpoint = config.service_endpoint or f"http://{LOOPBACK}:{SERVICE_PORTS['feedgen'] + config.port_offset}"
        audience = config.service_did or "did:web:" + endpoint.partition("://")[2].replace(":", "%3A")
        token = viewer_token(config.data_dir / FOLDER, handle, audience=audience, method=method)
        if method == SKELETON:
            _require_feed(feed)
        self.stdout.write(f"curl -s -H 'Authorization: Bearer {token}' '{endpoint}/xrpc/{_call(method, feed)}'")


def _call(method: str, feed: str) -> str:
    """The method, with the parameters of a feed page; the caller adds those of any other method."""
    if method != SKELETON:
        return method
    uri = f"at://{config.feed_actor_did or PUBLISHER}/app.bsky.feed.generator/{feed}"
    return f"{method}?feed={quote(uri, safe=':/')}"


def _require_feed(rkey: str) -> None:
    """Raises CommandError if the demo has no such feed. Before its first start nothing is known of its feeds."""
    try:
        names = dict(FeedDefinition.objects.values_list("rkey", "enabled"))
    except DatabaseError:
        return
    if rkey not in names:
        served = ", ".join(sorted(name for name, enabled in names.items() if enabled))
        raise CommandError(f"the demo has no feed {rkey}: it serves {served}")
    if not names[rkey]:
        raise CommandError(f"the feed {rkey} is switched off: switch it on in the admin (Feeds)")
