"""Both stores of one directory, started together and restarted when they end."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from atsite.core.embedded import files
from atsite.core.embedded.clickhouse import EmbeddedClickHouse
from atsite.core.embedded.errors import StoreFailed, WrongPurpose, explained
from atsite.core.embedded.restarts import Restarts
from atsite.core.embedded.valkey import EmbeddedValkey, ValkeyAddress
from atsite.core.repeated_work import repeated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from atsite.core.embedded.clickhouse_config import ClickHouseAddress
    from atsite.core.embedded.store import EmbeddedStore

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.1


class EmbeddedStores:
    """A ClickHouse in `root`/clickhouse and a Valkey in `root`/valkey, watched by threads of this process.

    `purpose` is the command that the data belongs to; a directory keeps the first one and refuses any other.
    `usual_ports` prefers 9000, 8123 and 6379 if they are free; `port_offset` moves these, and then they must be
    free. `report` gets a message when a store ends and when it runs again; by default these go to the log.
    Also a context manager.
    """

    def __init__(
        self,
        root: Path,
        *,
        clickhouse: bool = True,
        valkey: bool = True,
        purpose: str | None = None,
        database: str = "atsite",
        usual_ports: bool = False,
        port_offset: int = 0,
        clickhouse_memory: int | None = None,
        report: Callable[[str], None] = logger.warning,
    ) -> None:
        self._root = root
        self._purpose = purpose
        self._clickhouse = (
            EmbeddedClickHouse(
                root / "clickhouse",
                usual_ports=usual_ports,
                port_offset=port_offset,
                database=database,
                max_memory=clickhouse_memory,
            )
            if clickhouse
            else None
        )
        self._valkey = (
            EmbeddedValkey(root / "valkey", usual_port=usual_ports, port_offset=port_offset) if valkey else None
        )
        self._stores: list[EmbeddedStore[Any]] = [store for store in (self._clickhouse, self._valkey) if store]
        self._report = report
        self._watching: ExitStack | None = None

    @property
    def clickhouse(self) -> ClickHouseAddress:
        """The address of ClickHouse. Raises StoreFailed if it was not requested or not started."""
        if self._clickhouse is None:
            raise StoreFailed("These stores were made without a ClickHouse.")
        return self._clickhouse.address

    @property
    def valkey(self) -> ValkeyAddress:
        """The address of Valkey. Raises StoreFailed if it was not requested or not started."""
        if self._valkey is None:
            raise StoreFailed("These stores were made without a Valkey.")
        return self._valkey.address

    def start(self) -> None:
        """Start and watch the requested stores. If one fails, stops all of them and raises StoreError."""
        if self._watching is not None:
            raise StoreFailed(f"The stores in {self._root} were started already.")
        with explained("The embedded stores", self._root):
            files.make_private_directory(self._root)
            if self._purpose is not None:
                claim(self._root, self._purpose)
        try:
            for store in self._stores:
                store.start()
        except BaseException:  # also Ctrl-C: nothing stays behind
            self.stop()
            raise
        self._watching = ExitStack()
        for store in self._stores:
            # Restarts the store whenever it ends, on the same ports and data.
            tend = Restarts(store, self._report).tend
            self._watching.enter_context(repeated(WATCH_SECONDS, tend, name=f"watch {store.name}"))

    def stop(self) -> None:
        """Stop watching, then stop both cleanly; keeps their data."""
        if self._watching is not None:
            self._watching.close()
            self._watching = None
        for store in reversed(self._stores):
            store.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def claim(root: Path, purpose: str) -> None:
    """Mark `root` as the data of `purpose`. Raises WrongPurpose if it is marked for another purpose."""
    marker = root / "purpose"
    try:
        owner = marker.read_text().strip()
    except FileNotFoundError:
        files.write_private(marker, f"{purpose}\n")
        return
    if owner != purpose:
        raise WrongPurpose(
            f"{root} holds the data of `{owner}`, and this is `{purpose}`. Give each a directory of its own (DATA_DIR),"
            f" or delete {root} if you do not need its data any more."
        )
