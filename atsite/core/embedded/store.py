"""The base of the two embedded stores: a directory, a lock, ports, a child process and a ready check."""

from __future__ import annotations

import os
import shutil
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

from atsite.core.embedded import files, ports
from atsite.core.embedded.child import Child, OneChild
from atsite.core.embedded.errors import PortTaken, StoreFailed, explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Address = TypeVar("Address")

#: A start takes half a second, but longer with a large append-only file or many parts on a slow disk.
START_TIMEOUT = 120.0
POLL_SECONDS = 0.02
#: The timeout of one ready check; it is then repeated.
ANSWER_SECONDS = 2.0
#: How often to choose another port if the chosen one is taken before the store listens on it.
PORT_ATTEMPTS = 5
#: With less free space a store would fail at its first write, with an unclear message.
MIN_FREE_BYTES = 64_000_000


class EmbeddedStore(OneChild, ABC, Generic[Address]):
    """One store on one data directory, as a child of this process.

    It ends with this process, even after a kill -9, and keeps its data and ports between starts. Its files are readable
    only by their owner. Also a context manager. Not thread-safe.
    """

    name: ClassVar[str]

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._address: Address | None = None
        self._ports: dict[str, int] = {}

    @property
    def address(self) -> Address:
        """How to reach the store. Raises StoreFailed before the first start."""
        if self._address is None:
            raise StoreFailed(f"{self.name} in {self.root} was not started.")
        return self._address

    def start(self) -> Address:
        """Start it and return once it answers with its password.

        Raises EngineMissing, DataDirectoryInUse, PortTaken (a required port), StoreFailed.
        """
        remembered = files.remembered_ports(self._ports_file)
        self._start(tuple(replace(wish, remembered=remembered.get(wish.name, 0)) for wish in self._wishes()))
        return self.address

    def restart(self) -> None:
        """Restart it after it ended, on the same ports, which its clients know. Raises as `start` does."""
        self.kill()
        self._start(tuple(replace(wish, asked=self._ports[wish.name]) for wish in self._wishes()))

    def stop(self) -> int:
        """Stop it cleanly. Returns its exit code; 0 after a clean stop or if it did not run."""
        child, self._child = self._child, None
        return 0 if child is None else child.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments. Raises EngineMissing."""

    @abstractmethod
    def _wishes(self) -> tuple[ports.PortWish, ...]:
        """The ports it needs."""

    @abstractmethod
    def _prepare(self, chosen: dict[str, int]) -> Address:
        """Write its configuration for these ports; returns its address."""

    @abstractmethod
    def _answers(self, address: Address) -> bool:
        """Whether it answers at `address` with its password."""

    @property
    def _ports_file(self) -> Path:
        return self.root / "etc" / "ports.json"

    @property
    def log(self) -> Path:
        """The file with the process's standard output and error."""
        return self.root / "log" / "output.log"

    def _start(self, wishes: tuple[ports.PortWish, ...]) -> None:
        if self._child is not None:
            raise StoreFailed(f"{self.name} in {self.root} was started already.")
        command = self._command()
        with explained(self.name, self.root):
            for directory in (self.root, self.root / "data", self.root / "etc", self.root / "log"):
                files.make_private_directory(directory)
            self._require_disk_space()
            with self._locked() as lock:
                files.make_private(self.root)  # what an older version, or a copy, left readable
                self._start_locked(command, wishes, lock)

    def _start_locked(self, command: list[str], wishes: tuple[ports.PortWish, ...], lock: int) -> None:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            chosen = ports.choose(wishes)
            try:
                self._run(command, chosen, lock)
            except PortTaken:
                if attempt == PORT_ATTEMPTS or any(wish.asked for wish in wishes):
                    raise
            else:
                return

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Take the lock of the data directory. The store inherits it and holds it while it runs."""
        lock = files.take_lock(self.root / "lock", name=self.name, directory=self.root)
        try:
            yield lock
        finally:
            os.close(lock)

    def _require_disk_space(self) -> None:
        free = shutil.disk_usage(self.root).free
        if free < MIN_FREE_BYTES:
            raise StoreFailed(
                f"The disk of {self.root} is full ({free // 1_000_000} MB free): {self.name} needs at least"
                f" {MIN_FREE_BYTES // 1_000_000} MB to start. Make room, or choose a directory on another disk."
            )

    def _run(self, command: list[str], chosen: dict[str, int], lock: int) -> None:
        """One attempt to start it on these ports."""
        address = self._prepare(chosen)
        output_start = files.size_of(self.log)
        child = Child.spawn(command, output=self.log, inherit=lock)
        try:
            files.sign_lock(lock, child.process.pid)
            self._wait_until_ready(child, address, chosen, output_start)
        except BaseException:  # also Ctrl-C: leave no half-started process behind
            child.kill()
            raise
        self._child, self._address, self._ports = child, address, chosen
        files.remember_ports(self._ports_file, chosen)

    def _wait_until_ready(self, child: Child, address: Address, chosen: dict[str, int], output_start: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while child.process.poll() is None:
            if self._answers(address):
                return
            if time.monotonic() > deadline:
                raise StoreFailed(
                    f"{self.name} did not answer within {START_TIMEOUT:.0f} s after its start;"
                    f" its log is in {self.log.parent}."
                )
            time.sleep(POLL_SECONDS)
        raise self._explain(child.process.returncode, chosen, files.tail(self.log, start=output_start))

    def _explain(self, exit_code: int, chosen: dict[str, int], output: str) -> PortTaken | StoreFailed:
        """The error that says why the process ended before it answered."""
        if "Address already in use" in output:
            taken = next((port for port in chosen.values() if not ports.is_free(port)), min(chosen.values()))
            return PortTaken(ports.taken_message(taken))
        if "No space left on device" in output:
            return StoreFailed(f"{self.name} could not start: the disk of {self.root} is full.")
        return StoreFailed(
            f"{self.name} ended with exit code {exit_code} before it answered; its log is in {self.log.parent}."
            f" Its last output: {output or '(none)'}"
        )
