"""Stores of one test, which it may kill or stop."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clickhouse_driver import Client, errors

from atsite.core.config import BASE_DIR
from atsite.core.embedded import EmbeddedClickHouse, EmbeddedValkey
from tests.indexer.stream_fold import fold, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class OwnStores:
    """A ClickHouse with the schema, and a Valkey."""

    clickhouse: EmbeddedClickHouse
    valkey: EmbeddedValkey
    env: dict[str, str]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        address = self.clickhouse.address
        with Client(address.host, address.tcp_port, "own", address.user, address.password, connect_timeout=5) as client:
            rows: list[tuple[Any, ...]] = client.execute(sql)
        return rows

    def accounts_are(self, stream: list[bytes]) -> Callable[[], bool]:
        """Whether every account event of the stream is there; False while the engine is away."""

        def there() -> bool:
            try:
                return stored(self.rows).accounts == fold(stream).accounts
            except (errors.Error, OSError):
                return False

        return there


@contextmanager
def own_stores(tmp_path: Path) -> Iterator[OwnStores]:
    with (
        EmbeddedClickHouse(tmp_path / "clickhouse", database="own") as clickhouse,
        EmbeddedValkey(tmp_path / "valkey") as valkey,
    ):
        address = clickhouse.address
        env = {
            "DATA_DIR": str(tmp_path / "site"),
            "CLICKHOUSE_ADDRESS": f"{address.host}:{address.tcp_port}",
            "CLICKHOUSE_USERNAME": address.user,
            "CLICKHOUSE_PASSWORD": address.password,
            "CLICKHOUSE_DATABASE": "own",
            "REDIS_ADDRESS": valkey.address.url(0),
        }
        (tmp_path / "site").mkdir()
        for database in ("default", "clickhouse"):
            subprocess.run(
                [sys.executable, str(BASE_DIR / "manage.py"), "migrate", "-v0", "--database", database],
                env=os.environ | env,
                check=True,
                timeout=120,
            )
        yield OwnStores(clickhouse, valkey, env)
