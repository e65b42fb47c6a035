"""Which processes make a site, in one table."""

from __future__ import annotations

import sys
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR, METRICS_PORTS, SERVICE_PORTS
from atsite.supervision.serving import granian
from indexer.simulator.demo import FOLDER, LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from atsite.core.config import Service

#: The simulated Jetstream of the demo; beside the ports of the services, which the seed design fixes.
SIMULATOR_PORT = 8096
MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
#: Without gossip and mingle a worker finds its way back after the broker went away (measured); there is one worker.
CELERY = (sys.executable, "-m", "celery", "--workdir", str(BASE_DIR), "-A", "atsite")
WORKER = (*CELERY, "worker", "--without-gossip", "--without-mingle")
BEAT = (*CELERY, "beat")


@dataclass(frozen=True)
class Ports:
    """Where each process listens. The field names are the names of the children; metrics ports end in `_metrics`."""

    indexer_metrics: int = METRICS_PORTS["indexer"]
    feedgen: int = SERVICE_PORTS["feedgen"]
    feedgen_metrics: int = METRICS_PORTS["feedgen"]
    search: int = SERVICE_PORTS["search"]
    search_metrics: int = METRICS_PORTS["search"]
    admin: int = SERVICE_PORTS["admin"]
    admin_metrics: int = METRICS_PORTS["admin"]
    worker_metrics: int = METRICS_PORTS["worker"]
    simulator: int = SIMULATOR_PORT

    def moved_by(self, offset: int) -> Ports:
        """The same processes on ports that are higher by `offset` (PORT_OFFSET)."""
        return Ports(*(port + offset for port in astuple(self)))

    def chosen_by(self, free_port: Callable[[set[int]], int]) -> Ports:
        """The same processes on ports that `free_port` gives, all different."""
        chosen: dict[str, int] = {}
        for name in self.__dataclass_fields__:
            chosen[name] = free_port(set(chosen.values()))
        return replace(self, **chosen)


@dataclass(frozen=True)
class Site:
    """One site as `up` or `demo` runs it."""

    #: The mark of the data directory; the other command refuses a directory with this mark.
    purpose: str
    data_dir: Path
    #: Address the feed generator listens on. All other services and every metrics port stay on loopback.
    host: str
    ports: Ports
    #: Variables for every child, on top of this process's own.
    environment: Mapping[str, str]
    #: Whether a simulated network replaces Jetstream.
    simulated: bool
    #: More arguments of the simulated network, besides its port and its folder.
    simulation: tuple[str, ...] = ()
    #: Where the indexer begins, as arguments of `run_indexer`; without, where it stopped.
    begin: tuple[str, ...] = ()
    #: A command of manage.py, with its arguments, to run once when all processes run.
    afterwards: tuple[str, ...] = ()

    @property
    def logs(self) -> Path:
        return self.data_dir / "log"

    def url(self, service: str) -> str:
        """The URL of a service for a browser on this machine."""
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        host = self.host if service == "feedgen" and not everywhere else LOOPBACK
        return f"http://{f'[{host}]' if ':' in host else host}:{getattr(self.ports, service)}"


@dataclass(frozen=True)
class ProcessSpec:
    """One process to run and to keep running."""

    name: str
    command: tuple[str, ...]
    #: Variables on top of the site's.
    environment: Mapping[str, str]
    #: What it will listen on.
    ports: tuple[int, ...]
    #: Children of one stage are stopped together, lower stages first: writers, then readers.
    stage: int
    #: When it starts: with the migrations, after them, once the indexer runs, or after the first page. A start
    #: costs each process seconds of CPU, so those that the first page needs go first.
    wave: int


def children_of(site: Site) -> tuple[ProcessSpec, ...]:
    """The processes of `site`, in the order in which they start."""
    ports = site.ports

    def child(name: str, *command: str, metrics: int = 0, port: int = 0, stage: int = 1, wave: int = 2) -> ProcessSpec:
        own = {"ATSITE_SERVICE": name, "METRICS_PORT": str(metrics), "LISTEN_HOST": LOOPBACK}
        environment = {**site.environment, **own}
        return ProcessSpec(name, command, environment, tuple(filter(None, (port, metrics))), stage, wave)

    def service(name: Service, wave: int = 2) -> ProcessSpec:
        # Not through `manage.py run_…`: that checks the migrations, which are applied by now.
        port, metrics = getattr(ports, name), getattr(ports, f"{name}_metrics")
        host = site.host if name == "feedgen" else LOOPBACK
        return child(name, *granian(name, host=host, port=port), metrics=metrics, port=port, wave=wave)

    kept = ("--state", str(site.data_dir / FOLDER), "--port", str(ports.simulator))
    simulate = (*MANAGE, "simulate_jetstream", *kept, *site.simulation)
    simulator = ProcessSpec("simulator", simulate, site.environment, (ports.simulator,), stage=0, wave=0)
    return (
        *((simulator,) if site.simulated else ()),
        child("indexer", *MANAGE, "run_indexer", metrics=ports.indexer_metrics, stage=0, wave=1),
        service("feedgen", wave=1),
        child("worker", *WORKER, metrics=ports.worker_metrics, wave=1),
        service("search"),
        service("admin"),
        child("beat", *BEAT, wave=3),
    )
