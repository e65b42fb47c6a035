from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.clock import now_us
from atsite.core.command import port
from atsite.core.config import config
from indexer.simulator.errors import SimulatorError
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.repos import Repos
from indexer.simulator.network.saved_network import load_or_create, make
from indexer.simulator.serving.network_source import LOOKBACK_HOURS, NetworkSource
from indexer.simulator.serving.owner import Owner
from indexer.simulator.serving.plc_directory import Directory
from indexer.simulator.serving.publisher import Publisher
from indexer.simulator.serving.recorded_source import MAX, RecordedSource
from indexer.simulator.serving.server import SimulatedJetstream
from indexer.simulator.serving.xrpc import Xrpc

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from indexer.simulator.serving.event_source import EventSource

    Served = tuple[EventSource, Directory | None, Xrpc | None]

DEFAULT_SEED = 20_260_101


def speed(text: str) -> float:
    """`max`, or a factor of the recorded speed."""
    return MAX if text == "max" else float(text)


class Command(BaseCommand):
    help = "Serve a simulated Jetstream: a recorded file, or a simulated network with live events."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=port, default=6008, help="default: 6008; 0 chooses a free port")
        parser.add_argument("--dictionary", type=Path, help="a zstd dictionary, for subscribers with compress=true")
        recorded = parser.add_argument_group("recorded file")
        recorded.add_argument("--file", type=Path, help="a .jsonl or .jsonl.zst of Jetstream v1 events")
        recorded.add_argument("--speed", type=speed, default=MAX, help="1, 10, … or max (default: max)")
        recorded.add_argument(
            "--shift-to-now", action="store_true", help="shift all times so that the recording ends now"
        )
        simulated = parser.add_argument_group("simulated network")
        simulated.add_argument("--state", type=Path, help="keep the network in DIR/network.json and continue it")
        simulated.add_argument("--seed", type=int)
        simulated.add_argument(
            "--epoch", type=int, help="unix microseconds at which the live part begins (default: now)"
        )
        simulated.add_argument("--actors", type=int)
        simulated.add_argument("--rate", type=int, help="live events per second (default: 50)")
        simulated.add_argument(
            "--sparse", action="store_true", help="like a first day: the stream leaves out everything older"
        )
        simulated.add_argument("--malformed", type=int, default=0, help="malformed frames per 10,000 events")
        simulated.add_argument(
            "--lookback-hours", type=int, default=LOOKBACK_HOURS, help="older cursors are set to this age"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(self._serve(self._served(options), options))
        except (SimulatorError, OSError) as error:
            raise CommandError(str(error)) from error

    def _served(self, options: dict[str, Any]) -> Served:
        """The stream; for a simulated network also its accounts. A recording has no keys or repos of its accounts."""
        if options["file"] is not None:
            source = RecordedSource(options["file"], speed=options["speed"], shift_to_now=options["shift_to_now"])
            return source, None, None
        given = {"seed": "seed", "epoch": "epoch_us", "actors": "actors", "rate": "rate"}
        asked = {name: options[option] for option, name in given.items() if options[option] is not None}
        if options["state"] is not None:
            timeline = load_or_create(options["state"], asked, seed=DEFAULT_SEED, now=now_us())
        else:
            timeline = make({"seed": DEFAULT_SEED, "epoch_us": now_us()} | asked)
        network = Network(timeline)
        stream = NetworkSource(
            network,
            sparse=options["sparse"],
            malformed_share=options["malformed"],
            lookback_hours=options["lookback_hours"],
        )
        identities = Identities(network)
        return stream, Directory(identities), Xrpc(identities, Repos(network))

    async def _serve(self, served: Served, options: dict[str, Any]) -> None:
        source, directory, xrpc = served
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        dictionary = options["dictionary"].read_bytes() if options["dictionary"] else None
        server = SimulatedJetstream(
            source,
            address=options["host"],
            port=options["port"],
            dictionary=dictionary,
            directory=directory,
            xrpc=xrpc,
            publisher=_publisher(options["state"]),
            owner=Owner(now_us) if options["state"] is not None else None,
        )
        async with server:
            self.stdout.write(f"simulated Jetstream at {server.url}")
            if directory is not None:
                self.stdout.write(f"did documents and handles of its accounts: {server.origin}")
            self.stdout.flush()
            await stop.wait()


def _publisher(folder: Path | None) -> Publisher | None:
    """The account that publishes the demo's feeds, if the network is kept and the account has a password."""
    password = config.publisher_app_password
    return Publisher(folder, password) if folder is not None and password else None
