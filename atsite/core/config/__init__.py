"""The configuration of this process, read from the environment. No other module reads the environment.

Every name is an environment variable; `NAME_FILE` reads a secret from a file instead. An invalid value stops the start
with a ConfigError that names the variable.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from atsite.core.config.cleanup import CleanupConfig, cleanup_config
from atsite.core.config.plain_values import address, choice, integer, networks, redis_url, url, websocket_url, words
from atsite.core.config.search import SearchConfig, search_config
from atsite.core.config.secret_values import secret, secret_key
from atsite.core.config.tools import ToolsConfig, tools_config
from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

Service = Literal["manage", "indexer", "feedgen", "search", "admin", "worker", "beat"]

BASE_DIR = Path(__file__).resolve().parents[3]
PUBLIC_JETSTREAM = "wss://jetstream2.us-east.bsky.network/subscribe"
PUBLIC_PLC = "https://plc.directory"
PUBLIC_APPVIEW = "https://public.api.bsky.app"
#: The file in data_dir with the variables of a running demo, for `ATSITE_ENVIRONMENT=demo manage.py COMMAND`.
RUNNING_DEMO = "demo.json"
#: Ports of the seed design; a metrics port of 0 switches the metrics server of a process off.
METRICS_PORTS: dict[Service, int] = {
    "manage": 0, "beat": 0, "worker": 8088, "admin": 8089, "indexer": 8091, "search": 8093, "feedgen": 8095,
}  # fmt: skip
#: Where each service answers (fixed by the seed design).
SERVICE_PORTS: dict[Service, int] = {"admin": 8090, "search": 8092, "feedgen": 8094}
#: The highest port is that of ClickHouse, 9000; moved by this it is still a port.
PORT_OFFSET_MAX = 56_000
WORKERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration. A field's comment says what it means; its unit is in the name or the comment."""

    #: Which process this is; chooses URLs, middleware and the metrics port.
    service: Service
    #: `production` refuses to start without secrets; `demo` uses a simulated network on loopback.
    environment: Literal["development", "demo", "test", "production"]
    #: Where embedded stores, the SQLite file and logs live.
    data_dir: Path
    secret_key: str
    #: The relational database of what people decide; empty means SQLite in data_dir.
    database_url: str
    #: host:port of ClickHouse's native protocol; empty when no server is configured or running.
    clickhouse_address: str
    clickhouse_username: str
    clickhouse_password: str
    clickhouse_database: str
    #: redis:// URL; empty when no server is configured or running.
    redis_url: str
    #: The environment names no server, so `manage.py up` and `demo` run an embedded one.
    embedded_clickhouse: bool
    embedded_redis: bool
    #: The Jetstream to read.
    ws_url: str
    #: Public https:// address of the feed generator, and the did under which it serves.
    service_endpoint: str
    service_did: str
    #: The account that publishes the feeds.
    feed_actor_did: str
    #: The directory of did:plc documents.
    plc_url: str
    #: The XRPC server that turns a handle into its did; empty means DNS and the handle's own host.
    handle_resolver_url: str
    #: The AppView to ask for profiles and for the feeds as it serves them; `none` asks each account's PDS instead.
    appview_url: str
    #: Whether untrusted addresses may be on this machine (then also over plain http): demo and tests only.
    allow_loopback: bool
    #: Likes a post needs for whats-hot; many on the whole network, few in a small community.
    feed_min_likes: int
    #: An app password of that account, for `publish_feed` and `unpublish_feed` only.
    publisher_app_password: str
    #: Collections and dids to request from Jetstream; empty means everything.
    wanted_collections: tuple[str, ...]
    wanted_dids: tuple[str, ...]
    #: How far back a first start begins, and how far back the host replays at most (hours).
    start_hours: int
    jetstream_lookback_hours: int
    #: The indexer pauses below this many free bytes on data_dir's disk.
    min_free_disk: int
    #: Days that raw events are kept, counted from their arrival.
    keep_raw_days: int
    #: The most interactions per hour from one reader, and from all readers (at least ten times as many).
    interactions_per_hour: int
    interactions_total_per_hour: int
    #: OTLP/HTTP collector; empty means no tracing.
    otel_endpoint: str
    #: The address this service and its metrics listen on; `up` gives it to the feed generator alone.
    listen_host: str
    #: Added to every port: those of the services, of the metrics and of the embedded stores.
    port_offset: int
    #: The metrics port of this process; 0: none.
    metrics_port: int
    #: How many processes serve this service together (`--workers`).
    workers: int
    allowed_hosts: tuple[str, ...]
    #: Networks of the reverse proxies whose X-Forwarded-For is trusted; empty: none is.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    cleanup: CleanupConfig
    search: SearchConfig
    tools: ToolsConfig

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def sqlite_path(self) -> Path:
        return self.data_dir / "atsite.sqlite3"


def usual_data_dir(environment: str) -> Path:
    """The data folder without DATA_DIR."""
    return BASE_DIR / ".data" / ("demo" if environment == "demo" else "site")


def load(env: Mapping[str, str]) -> Config:
    """Read `env` into a Config. Raises ConfigError on the first unusable value."""
    environment = choice(env, "ATSITE_ENVIRONMENT", "development", ("development", "demo", "test", "production"))
    service = choice(env, "ATSITE_SERVICE", "manage", get_args(Service))
    data_dir = Path(env.get("DATA_DIR") or usual_data_dir(environment)).resolve()
    if environment == "demo" and not env.get("INSIDE_DEMO"):
        env = {**env, **_read_json(data_dir / RUNNING_DEMO)}  # what a shell says of a real site is not for the demo
    running = _read_json(data_dir / "stores.json")
    clickhouse_address = env.get("CLICKHOUSE_ADDRESS") or running.get("clickhouse_address", "")
    embedded = not env.get("CLICKHOUSE_ADDRESS")
    redis_address = secret(env, "REDIS_ADDRESS")
    endpoint = env.get("SERVICE_ENDPOINT", "").rstrip("/")
    moved = integer(env, "PORT_OFFSET", 0, low=0, high=PORT_OFFSET_MAX)
    sent = integer(env, "INTERACTIONS_PER_HOUR", 5_000, low=500, high=1_000_000)
    return Config(
        service=service,  # type: ignore[arg-type]
        environment=environment,  # type: ignore[arg-type]
        data_dir=data_dir,
        secret_key=secret_key(env, environment, data_dir),
        database_url=secret(env, "DATABASE_URL"),
        clickhouse_address=address(clickhouse_address, "CLICKHOUSE_ADDRESS"),
        clickhouse_username=env.get("CLICKHOUSE_USERNAME")
        or (running.get("clickhouse_username", "") if embedded else "default"),
        clickhouse_password=secret(env, "CLICKHOUSE_PASSWORD")
        or (running.get("clickhouse_password", "") if embedded else ""),
        clickhouse_database=env.get("CLICKHOUSE_DATABASE") or "atsite",
        redis_url=redis_url(redis_address or running.get("redis_address", "")),
        embedded_clickhouse=embedded,
        embedded_redis=not redis_address,
        ws_url=websocket_url(env, "WS_URL", PUBLIC_JETSTREAM),
        service_endpoint=endpoint,
        service_did=env.get("SERVICE_DID") or _did_web(endpoint),
        feed_actor_did=env.get("FEED_ACTOR_DID", ""),
        plc_url=url(env, "PLC_URL", PUBLIC_PLC),
        handle_resolver_url=url(env, "HANDLE_RESOLVER_URL", ""),
        appview_url="" if env.get("APPVIEW_URL") == "none" else url(env, "APPVIEW_URL", PUBLIC_APPVIEW),
        allow_loopback=_allow_loopback(env, environment),
        feed_min_likes=integer(env, "FEED_MIN_LIKES", 20 if environment == "demo" else 100, low=1, high=1_000_000),
        publisher_app_password=secret(env, "PUBLISHER_APP_PASSWORD"),
        wanted_collections=words(env, "WANTED_COLLECTIONS"),
        wanted_dids=words(env, "WANTED_DIDS"),
        start_hours=integer(env, "START_HOURS", 24, low=0, high=24 * 365),
        jetstream_lookback_hours=integer(env, "JETSTREAM_LOOKBACK_HOURS", 36, low=1, high=24 * 365),
        min_free_disk=integer(env, "MIN_FREE_DISK", 5_000_000_000, low=0, high=1 << 62),
        keep_raw_days=integer(env, "KEEP_RAW_DAYS", 30, low=1, high=3650),
        interactions_per_hour=sent,
        # So high that no reader can use it up alone.
        interactions_total_per_hour=integer(env, "INTERACTIONS_TOTAL_PER_HOUR", 500_000, low=10 * sent, high=10**9),
        otel_endpoint=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        listen_host=env.get("LISTEN_HOST") or "127.0.0.1",
        port_offset=moved,
        metrics_port=integer(env, "METRICS_PORT", _moved(METRICS_PORTS[service], moved), low=0, high=65535),  # type: ignore[index]
        workers=integer(env, "ATSITE_WORKERS", 1, low=1, high=WORKERS_MAX),
        allowed_hosts=words(env, "ALLOWED_HOSTS"),
        trusted_proxies=networks(env, "TRUSTED_PROXIES"),
        cleanup=cleanup_config(env, environment, data_dir),
        search=search_config(env, environment),
        tools=tools_config(env),
    )


def _moved(port: int, offset: int) -> int:
    """A port moved by PORT_OFFSET; 0, which means none, stays."""
    return port + offset if port else 0


def defaults_of(argv: Sequence[str]) -> dict[str, str]:
    """Variables that follow from the command line: the service of this process, and the environment of the demo."""
    program, command = (*argv, "", "")[:2]
    if "celery" in Path(program).parts:  # `celery -A atsite worker` and `python -m celery …`
        return {"ATSITE_SERVICE": next((word for word in argv if word in ("worker", "beat")), "manage")}
    if command in ("demo", "viewer_token"):
        return {"ATSITE_ENVIRONMENT": "demo"}
    service = command.removeprefix("run_") if command.startswith("run_") else ""
    return {"ATSITE_SERVICE": service} if service in get_args(Service) else {}


def _allow_loopback(env: Mapping[str, str], environment: str) -> bool:
    """ALLOW_LOOPBACK; a public service must not connect to its own machine for any caller."""
    allowed = choice(env, "ALLOW_LOOPBACK", "1" if environment in ("demo", "test") else "0", ("0", "1")) == "1"
    if allowed and environment == "production":
        raise ConfigError(
            "ALLOW_LOOPBACK=1 lets untrusted hosts reach other services of this machine: unset it in production"
        )
    return allowed


def _did_web(endpoint: str) -> str:
    """did:web of the endpoint's host (https://w3c-ccg.github.io/did-method-web/): a port is percent-encoded."""
    if not endpoint:
        return ""
    scheme, separator, host = endpoint.partition("://")
    if not separator or scheme not in ("http", "https") or not host or "/" in host:
        raise ConfigError(f"SERVICE_ENDPOINT={endpoint!r}: expected https://HOST without a path")
    return "did:web:" + host.lower().replace(":", "%3A")


def _read_json(path: Path) -> dict[str, str]:
    """What a running `manage.py up` or `demo` wrote for the other processes of its site; empty if it does not run.

    `stores.json` has the addresses of its embedded stores, RUNNING_DEMO the variables of the demo.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}


config = load({**defaults_of(sys.argv), **os.environ})
