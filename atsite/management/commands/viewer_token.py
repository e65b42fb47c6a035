"""`manage.py viewer_token HANDLE`: read a feed of the demo as one of its invented accounts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from django.core.management.base import BaseCommand, CommandError

from atsite.core.atproto.syntax import is_handle, is_nsid, is_rkey
from atsite.core.config import SERVICE_PORTS, config
from atsite.management.commands.demo import LOOPBACK, PUBLISHER
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.saved_network import FILE, load_or_create
from indexer.simulator.network.service_tokens import LIFETIME_SECONDS, service_token
from indexer.simulator.serving.sources import SimulatorError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from indexer.simulator.network.timeline import Timeline

SKELETON: Final = "app.bsky.feed.getFeedSkeleton"


class Command(BaseCommand):
    help = "Print a curl line that reads a feed of the demo as one of its invented accounts. Refused outside the demo."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("handle", help="of an account of the simulated network, such as mira.demo.test")
        parser.add_argument("--feed", default="whats-hot", metavar="RKEY", help="the feed to read (whats-hot)")
        parser.add_argument("--method", default=SKELETON, metavar="NSID", help=f"what the token is for ({SKELETON})")

    def handle(self, *args: object, handle: str, feed: str, method: str, **options: object) -> None:
        if config.environment != "demo":
            raise CommandError(
                f"ATSITE_ENVIRONMENT={config.environment} is set: only the demo knows the keys of its accounts"
            )
        if not is_handle(handle) or not is_rkey(feed) or not is_nsid(method):
            raise CommandError("expected a handle, and with --feed a record key, with --method an NSID")
        identities = Identities(Network(self._timeline()))
        now = time.time_ns() // 1000
        did = identities.did(handle.lower(), now)
        if did is None:
            raise CommandError(f"no account of the demo is {handle} now; {identities.example(now)} is one")
        # The demo on its usual ports; with --free-ports SERVICE_ENDPOINT says where it is.
        endpoint = config.service_endpoint or f"http://{LOOPBACK}:{SERVICE_PORTS['feedgen']}"
        audience = config.service_did or "did:web:" + endpoint.partition("://")[2].replace(":", "%3A")
        token = service_token(
            identities.key(did),
            issuer=did,
            audience=audience,
            method=method,
            now=int(time.time()),
            seconds=LIFETIME_SECONDS,
        )
        self.stdout.write(f"curl -s -H 'Authorization: Bearer {token}' '{endpoint}/xrpc/{_call(method, feed)}'")

    def _timeline(self) -> Timeline:
        folder = config.data_dir / "simulator"
        if not (folder / FILE).exists():
            raise CommandError(f"there is no demo network in {folder} yet: run `./just demo` first")
        try:
            return load_or_create(folder, {}, seed=0, now=0)
        except SimulatorError as error:
            raise CommandError(str(error)) from error


def _call(method: str, feed: str) -> str:
    """The method with the parameters of a feed's page; another method's are for the caller to add."""
    if method != SKELETON:
        return method
    uri = f"at://{config.feed_actor_did or PUBLISHER}/app.bsky.feed.generator/{feed}"
    return f"{method}?feed={quote(uri, safe=':/')}"
