"""The stores of a site while it runs: embedded ones where no server is configured."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from atsite.core.embedded import EmbeddedStores, files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from atsite.core.config import Config


@contextmanager
def running_stores(config: Config, *, purpose: str, usual_ports: bool, say: Callable[[str], None]) -> Iterator[Config]:
    """Run the stores inside the `with`; yields `config` with their addresses.

    Embedded stores write their addresses to DATA_DIR/stores.json, where every other process of the site finds them
    (atsite/core/config.py); the file is deleted when they stop. `usual_ports`: 9000 and 6379 where they are free, or
    moved by PORT_OFFSET.
    Raises StoreError.
    """
    stores = EmbeddedStores(
        config.data_dir,
        purpose=purpose,
        clickhouse=config.embedded_clickhouse,
        valkey=config.embedded_redis,
        database=config.clickhouse_database,
        usual_ports=usual_ports,
        port_offset=config.port_offset,
        report=say,
    )
    with stores:
        found: dict[str, str] = {}
        if config.embedded_clickhouse:
            clickhouse = stores.clickhouse
            found["clickhouse_address"] = f"{clickhouse.host}:{clickhouse.tcp_port}"
            found["clickhouse_username"] = clickhouse.user
            found["clickhouse_password"] = clickhouse.password
        if config.embedded_redis:
            found["redis_address"] = stores.valkey.url()
        file = config.data_dir / "stores.json"
        files.write_private(file, json.dumps(found))
        try:
            yield replace(
                config,
                clickhouse_address=found.get("clickhouse_address", config.clickhouse_address),
                clickhouse_username=found.get("clickhouse_username", config.clickhouse_username),
                clickhouse_password=found.get("clickhouse_password", config.clickhouse_password),
                redis_url=found.get("redis_address", config.redis_url),
            )
        finally:
            file.unlink(missing_ok=True)
