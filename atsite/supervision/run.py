"""Starts a whole site and stops it again: what `manage.py up` and `demo` do, in order."""

from __future__ import annotations

import signal
import time
from collections import deque
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from kombu.exceptions import OperationalError

from atsite.core.embedded import ports
from atsite.supervision import afterwards, migrate
from atsite.supervision.addresses import address_table
from atsite.supervision.children import children_of
from atsite.supervision.errors import UpFailed, first_line
from atsite.supervision.progress import Sample, change_of, progress_line
from atsite.supervision.site_probe import FULL_PAGE, REFRESH_TASK, SiteProbe
from atsite.supervision.start_checkpoint import save_start_checkpoint
from atsite.supervision.stores import running_stores
from atsite.supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from atsite.core.config import Config
    from atsite.supervision.children import ProcessSpec, Site
    from atsite.supervision.terminal import Terminal

TICK_SECONDS = 0.2
PROGRESS_SECONDS = 1.0
REFRESH_SECONDS = 5.0
#: Samples, one a second, over which the shown rate is taken: a batch of a busy stream takes some seconds.
RATE_SAMPLES = 10
#: Statistics that people look at next, and that beat would compute only after some minutes.
STATISTICS_TASKS = (
    "indexer.tasks.rewrite_daily_stats",
    "search.tasks.refresh_stats",
    "indexer.tasks.fill_actors",
)
#: How long the table waits for a full page, and when `--once` gives up: scripts use it and must end.
FIRST_PAGE_SECONDS, ONCE_SECONDS = 120.0, 600.0
#: How long it waits where no event can arrive.
PATIENCE_SECONDS = 10.0
#: How long the other processes wait for the indexer at most: the network may be unavailable.
HEAD_START_SECONDS = 10.0


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP came. Not an Exception, so that no handler mistakes it for an error."""


@dataclass(frozen=True)
class Until:
    """When to stop without a signal; with None and False: never."""

    #: Seconds after the site is up.
    run_for: float | None = None
    #: As soon as a feed has a full page.
    first_page: bool = False


def run(
    site: Site, config: Config, terminal: Terminal, *, usual_ports: bool, until: Until, after: Callable[[], str]
) -> None:
    """Run `site` until a signal or `until`. `after` is called once the relational database is ready; its text is shown.

    Raises UpFailed and StoreError. However this ends, no process stays behind.
    """
    children = children_of(site)
    refuse_taken_ports(children)
    steps = Steps(terminal)
    with (
        signals_stop(),
        running_stores(config, purpose=site.purpose, usual_ports=usual_ports, say=terminal.say) as running,
        closing(SiteProbe(site, running)) as probe,
        Supervisor(site.logs, terminal.say) as supervisor,
    ):
        steps.done(f"stores running: ClickHouse {running.clickhouse_address}, {_without_password(running.redis_url)}")
        try:
            Up(site, children, supervisor, probe, terminal, steps, until, after).go()
        finally:
            terminal.end_progress()
            terminal.say("stopping …")


def refuse_taken_ports(children: tuple[ProcessSpec, ...]) -> None:
    """Return when every port is free. Raises UpFailed, naming all that are not."""
    taken = [(child.name, port) for child in children for port in child.ports if not ports.is_free(port)]
    if taken:
        names = ", ".join(f"{port} (for {name})" for name, port in taken)
        raise UpFailed(
            f"these ports are in use by other processes: {names}. Is another `up` or `demo` running? Stop the processes"
            " that use them (`ss -ltnp` lists these), or use other ports with PORT_OFFSET=100 or --free-ports."
        )


@contextmanager
def signals_stop() -> Iterator[None]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP raises Stopped; later ones are ignored while all is stopped."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: object) -> NoReturn:
        for other in wanted:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Steps:
    """Says what was done and how long it took."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._began = self._last = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        self._terminal.end_progress()
        self._terminal.say(f"{now - self._began:6.1f} s  {what} ({now - self._last:.1f} s)")
        self._last = now


@dataclass
class Up:
    """The site between its stores' start and their stop."""

    site: Site
    children: tuple[ProcessSpec, ...]
    supervisor: Supervisor
    probe: SiteProbe
    terminal: Terminal
    steps: Steps
    until: Until
    after: Callable[[], str]
    #: The last ones, oldest first; kept across steps, or the first rate of each step would count from the start.
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=RATE_SAMPLES))

    def go(self) -> None:
        self.start(wave=0)  # the simulator makes its network while the databases are made
        self.probe.create_database()
        migrate.both(self.site)
        login = self.after()
        self.steps.done("both databases migrated")
        save_start_checkpoint(self.site)
        self.start(wave=1)
        self.first_batch()
        self.start(wave=2)
        self.steps.done("indexer running, starting the other services")
        feed = self.first_page()
        self.start(wave=3)
        self.refresh(STATISTICS_TASKS)
        self.everyone_listens()
        self.steps.done(f"all {len(self.children)} processes running")
        table = address_table(self.site, feed, host=self.probe.host, public_page=self.probe.public_page)
        self.terminal.say(f"\n{table}\n{login}\nPress Ctrl-C to stop everything.\n")
        if not self.until.first_page:
            if self.site.afterwards:
                said = afterwards.run_afterwards(self.site, self.ticks(seconds=afterwards.SECONDS))
                self.steps.done(f"{self.site.afterwards[0]} ran")
                self.terminal.say(said)
            self.keep_running()

    def start(self, wave: int) -> None:
        self.supervisor.start(child for child in self.children if child.wave == wave)

    def first_batch(self) -> None:
        """Return when the indexer has written something, or after HEAD_START_SECONDS."""
        for sample in self.ticks(seconds=HEAD_START_SECONDS):
            if sample.events:
                return

    def first_page(self) -> str | None:
        """Refresh the feeds until one has a full page; the at-uri of that feed.

        A site that indexes little of the network may never have one: after a while the addresses are shown anyway.
        Raises UpFailed when the first page was all it was started for (`--once`).
        """
        feed, length, refresh_at = None, 0, 0.0
        enough = time.monotonic() + PATIENCE_SECONDS
        for now in self.ticks(seconds=ONCE_SECONDS if self.until.first_page else FIRST_PAGE_SECONDS):
            feed = self.probe.feed()
            length = self.probe.page_length(feed) if feed is not None else 0
            if length >= FULL_PAGE:
                self.steps.done(f"the first feed has a page of {FULL_PAGE}: {feed}")
                return feed
            if feed is not None and time.monotonic() >= refresh_at:
                refresh_at = time.monotonic() + REFRESH_SECONDS
                self.refresh([REFRESH_TASK])
            if now.problem and not now.events and not self.until.first_page and time.monotonic() >= enough:
                break  # nothing arrives, and everyone knows why
        if self.until.first_page:
            raise UpFailed(f"no feed has a full page after {ONCE_SECONDS:.0f} s; see the logs in {self.site.logs}")
        self.steps.done(f"the first feed has only {length} posts so far; the worker refreshes it every minute")
        return feed

    def everyone_listens(self) -> None:
        """Return when every port has its listener, so that each address in the table works at once."""
        for _ in self.ticks(seconds=None):
            if not any(ports.is_free(port) for child in self.children for port in child.ports):
                return

    def refresh(self, tasks: Iterable[str]) -> None:
        """Have the worker run tasks now that beat would send in some minutes."""
        try:
            for task in tasks:
                self.probe.ask_worker(task)
        except OperationalError as error:
            self.terminal.say(f"the worker did not get its first tasks: {first_line(error)}")

    def keep_running(self) -> None:
        for _ in self.ticks(seconds=self.until.run_for):
            pass

    def ticks(self, seconds: float | None) -> Iterator[Sample]:
        """Tend the children and show the progress; yields a sample each second, for `seconds` or forever."""
        deadline = None if seconds is None else time.monotonic() + seconds
        due = 0.0
        if not self.samples:
            self.samples.append(Sample(time.monotonic()))
        while deadline is None or time.monotonic() < deadline:
            self.supervisor.tend()
            if time.monotonic() >= due:
                due = time.monotonic() + PROGRESS_SECONDS
                now = self.probe.sample().at_least(self.samples[-1])
                if change := change_of(self.samples[-1].problem, now.problem):
                    self.terminal.say(change)
                self.terminal.progress(progress_line(self.samples[0], now))
                self.samples.append(now)
                yield now
            time.sleep(TICK_SECONDS)


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
