"""The configuration files of the embedded ClickHouse, and the databases of its first start."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from atsite.core.embedded import files

if TYPE_CHECKING:
    from pathlib import Path

#: One query may take this share of the server's memory: a runaway query fails, the others go on.
QUERY_SHARE = 0.5

CONFIG = Template("""\
<clickhouse>
  <!-- Written at every start. -->
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>$tcp_port</tcp_port>
  <http_port>$http_port</http_port>
  <users_config>$root/etc/users.xml</users_config>
  <timezone>UTC</timezone>

  <!-- The level counts only at the top; below logger it is ignored. -->
  <log-level>information</log-level>
  <logger>
    <level>information</level>
    <log>$root/log/server.log</log>
    <errorlog>$root/log/server.err.log</errorlog>
    <size>50M</size>
    <count>3</count>
  </logger>

  <!-- The usual `default` of clickhouse-local would show the machine's files as tables. -->
  <default_database></default_database>
  <database>default</database>

  <max_server_memory_usage>$server_memory</max_server_memory_usage>
  <mark_cache_size>134217728</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>

  <!-- clickhouse-local has two threads for everything in the background and would pause merges all the time. -->
  <background_pool_size>4</background_pool_size>
  <background_merges_mutations_concurrency_ratio>8</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>32</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_buffer_flush_schedule_pool_size>4</background_buffer_flush_schedule_pool_size>
  <background_distributed_schedule_pool_size>16</background_distributed_schedule_pool_size>

  <!-- Which queries ran and what became of parts; SYSTEM FLUSH LOGS makes the last seconds readable at once. -->
  <query_log>
    <database>system</database>
    <table>query_log</table>
    <flush_interval_milliseconds>5000</flush_interval_milliseconds>
    <ttl>event_date + INTERVAL 3 DAY DELETE</ttl>
  </query_log>
  <part_log>
    <database>system</database>
    <table>part_log</table>
    <flush_interval_milliseconds>5000</flush_interval_milliseconds>
    <ttl>event_date + INTERVAL 3 DAY DELETE</ttl>
  </part_log>

  <backups><allowed_path>$root/backups/</allowed_path></backups>
</clickhouse>
""")

USERS = Template("""\
<clickhouse>
  <profiles>
    <default><max_memory_usage>$query_memory</max_memory_usage></default>
    <only_the_engine><max_sessions_for_user>1</max_sessions_for_user></only_the_engine>
  </profiles>
  <quotas><default></default></quotas>
  <users>
    <!-- The engine itself logs in as `default` without a password, which cannot be changed. Its session is the one that
         the profile allows, so no one can log in as `default` over the network. -->
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>only_the_engine</profile>
      <quota>default</quota>
      <access_management>1</access_management>
      <named_collection_control>1</named_collection_control>
    </default>
    <$user>
      <password_sha256_hex>$password_hash</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
      <named_collection_control>1</named_collection_control>
    </$user>
  </users>
</clickhouse>
""")


@dataclass(frozen=True)
class ClickHouseAddress:
    """How to reach a running ClickHouse: the native protocol on `tcp_port`, HTTP on `http_port`."""

    host: str
    tcp_port: int
    http_port: int
    user: str
    password: str = field(repr=False)
    database: str


def write_configuration(root: Path, address: ClickHouseAddress, *, server_memory: int) -> None:
    """Write config.xml and users.xml into `root`/etc. `server_memory`: bytes for the whole server."""
    config = CONFIG.substitute(
        root=escape(str(root)), tcp_port=address.tcp_port, http_port=address.http_port, server_memory=server_memory
    )
    users = USERS.substitute(
        user=address.user,
        password_hash=hashlib.sha256(address.password.encode()).hexdigest(),
        query_memory=int(server_memory * QUERY_SHARE),
    )
    files.write_private(root / "etc" / "config.xml", config)
    files.write_private(root / "etc" / "users.xml", users)


def seed_database(data: Path, name: str) -> None:
    """Create an empty Atomic database in a data directory, unless it exists. The server must not be running.

    These are the files that ATTACH DATABASE leaves. Seeded, `system` is on disk (else it is in memory and the query log
    is lost at every restart), and so is `default` (else it overlays the file system).
    """
    metadata = data / "metadata"
    definition = metadata / f"{name}.sql"
    if definition.exists():
        return
    identity = str(uuid.uuid4())
    store = data / "store" / identity[:3] / identity
    files.make_private_directory(store)
    files.make_private_directory(metadata)
    link = metadata / name
    link.unlink(missing_ok=True)  # left by a seeding that was cut short before the definition was written
    link.symlink_to(os.path.relpath(store, metadata))
    files.write_private(definition, f"ATTACH DATABASE _ UUID '{identity}'\nENGINE = Atomic\n")
