"""The embedded ClickHouse and Valkey, for a site without configured servers.

Standard library only: `manage.py up` and the test session start the stores before Django is set up.

    with EmbeddedStores(Path(".data/site"), purpose="up") as stores:
        stores.clickhouse.tcp_port, stores.valkey.url()
"""

from __future__ import annotations

from atsite.core.embedded.clickhouse import EmbeddedClickHouse
from atsite.core.embedded.clickhouse_config import ClickHouseAddress
from atsite.core.embedded.errors import DataDirectoryInUse, EngineMissing, PortTaken, StoreFailed, WrongPurpose
from atsite.core.embedded.supervise import EmbeddedStores
from atsite.core.embedded.valkey import EmbeddedValkey, ValkeyAddress

__all__ = [
    "ClickHouseAddress",
    "DataDirectoryInUse",
    "EmbeddedClickHouse",
    "EmbeddedStores",
    "EmbeddedValkey",
    "EngineMissing",
    "PortTaken",
    "StoreFailed",
    "ValkeyAddress",
    "WrongPurpose",
]
