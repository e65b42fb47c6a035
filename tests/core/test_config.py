from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from pyrage import x25519

from atsite.core.config import RUNNING_DEMO, SERVICE_PORTS, Config, defaults_of, load
from atsite.core.config.cleanup import CleanupConfig
from atsite.core.config.search import SearchConfig
from atsite.core.config.tools import ToolsConfig
from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s" * 40
AGE_KEY = str(x25519.Identity.generate())


def addresses(env: dict[str, str], data_dir: Path) -> tuple[str, str, str, bool]:
    loaded = load({"DATA_DIR": str(data_dir), "SECRET_KEY": SECRET, **env})
    return loaded.plc_url, loaded.handle_resolver_url, loaded.appview_url, loaded.allow_loopback


def test_a_site_asks_the_public_network_unless_told_otherwise(tmp_path: Path) -> None:
    public = ("https://plc.directory", "", "https://public.api.bsky.app", False)
    assert addresses({}, tmp_path) == public
    assert addresses({"ATSITE_ENVIRONMENT": "production"}, tmp_path) == public
    own = {
        "PLC_URL": "http://localhost:2582/",
        "HANDLE_RESOLVER_URL": "https://bsky.example",
        "APPVIEW_URL": "http://127.0.0.1:3000",
        "ALLOW_LOOPBACK": "1",
    }
    assert addresses(own, tmp_path) == ("http://localhost:2582", "https://bsky.example", "http://127.0.0.1:3000", True)


@pytest.mark.parametrize(("environment", "open_"), [("demo", True), ("test", True), ("development", False)])
def test_loopback_is_open_where_the_network_lives_on_it(tmp_path: Path, environment: str, open_: bool) -> None:
    assert addresses({"ATSITE_ENVIRONMENT": environment}, tmp_path)[3] is open_
    assert addresses({"ATSITE_ENVIRONMENT": environment, "ALLOW_LOOPBACK": "0"}, tmp_path)[3] is False


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"ATSITE_ENVIRONMENT": "production", "ALLOW_LOOPBACK": "1"}, "ALLOW_LOOPBACK=1"),
        ({"ALLOW_LOOPBACK": "yes"}, "ALLOW_LOOPBACK='yes'"),
        ({"SEARCH_ANONYMOUS": "no"}, "SEARCH_ANONYMOUS='no'"),
        ({"SEARCH_PER_MINUTE": "0"}, "SEARCH_PER_MINUTE='0'"),
        ({"SEARCH_CORS_ORIGINS": "https://a.example/ https://b.example"}, "SEARCH_CORS_ORIGINS='https://a.example/'"),
        ({"SEARCH_CORS_ORIGINS": "a.example"}, "SEARCH_CORS_ORIGINS='a.example'"),
        ({"TOOLS_ANONYMOUS": "no"}, "TOOLS_ANONYMOUS='no'"),
        ({"TOOLS_REPO_MAX_BYTES": "10"}, "TOOLS_REPO_MAX_BYTES='10'"),
        ({"PLC_URL": "plc.directory"}, "PLC_URL='plc.directory'"),
        ({"HANDLE_RESOLVER_URL": "https://"}, "HANDLE_RESOLVER_URL='https://'"),
        ({"APPVIEW_URL": "https://a.example?x=1"}, "APPVIEW_URL='https://a.example?x=1'"),
        ({"WS_URL": "https://jetstream.example/subscribe"}, "WS_URL is not a websocket address: expected wss://HOST"),
        ({"WS_URL": "jetstream.example/subscribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://:443/subscribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://jetstream.example:port/subscribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://jetstream.example:99999/subscribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://[::1/subscribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://jetstream.example/sub scribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://jetstream.example/subscribe#x"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://user@jetstream.example/subscribe"}, "WS_URL is not a websocket address"),
        ({"WS_URL": "wss://jetstream.example/subscribe?compress=true"}, "WS_URL: remove compress from"),
        (
            {"WS_URL": "wss://jetstream.example/subscribe?requireHello&cursor=5"},
            "WS_URL: remove cursor, requireHello from",
        ),
        (
            {"WS_URL": "wss://jetstream.example/subscribe?maxMessageSizeBytes=9&wantedCollections=a.b.c&wantedDids=x"},
            "WS_URL: remove maxMessageSizeBytes, wantedCollections, wantedDids from",
        ),
    ],
)
def test_nonsense_is_named(tmp_path: Path, env: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError) as error:
        addresses(env, tmp_path)
    assert str(error.value).startswith(named)


def test_a_site_without_settings_has_the_documented_ones(tmp_path: Path) -> None:
    assert load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "CLEANUP_KEYS": AGE_KEY}) == Config(
        service="manage",
        environment="development",
        data_dir=tmp_path,
        secret_key=SECRET,
        database_url="",
        clickhouse_address="",
        clickhouse_username="",
        clickhouse_password="",
        clickhouse_database="atsite",
        redis_url="",
        embedded_clickhouse=True,
        embedded_redis=True,
        ws_url="wss://jetstream2.us-east.bsky.network/subscribe",
        service_endpoint="",
        service_did="",
        feed_actor_did="",
        plc_url="https://plc.directory",
        handle_resolver_url="",
        appview_url="https://public.api.bsky.app",
        allow_loopback=False,
        feed_min_likes=100,
        publisher_app_password="",
        wanted_collections=(),
        wanted_dids=(),
        start_hours=24,
        jetstream_lookback_hours=36,
        min_free_disk=5_000_000_000,
        keep_raw_days=30,
        interactions_per_hour=5_000,
        interactions_total_per_hour=500_000,
        otel_endpoint="",
        listen_host="127.0.0.1",
        port_offset=0,
        metrics_port=0,
        workers=1,
        allowed_hosts=(),
        trusted_proxies=(),
        cleanup=CleanupConfig(
            keys=(AGE_KEY,),
            host="",
            folder=tmp_path / "cleanup",
            backup_days=30,
            per_hour=4_000,
            per_day=30_000,
            repo_max_bytes=2_000_000_000,
            media_hosts=(),
        ),
        search=SearchConfig(
            anonymous=True,
            anonymous_per_minute=300,
            cors_origins=(),
            public_page=False,
            public_page_name="Bluesky search",
            public_page_per_minute=60,
        ),
        tools=ToolsConfig(
            anonymous=False, anonymous_per_minute=20, repo_max_bytes=250_000_000, repo_seconds=120, at_once=4
        ),
    )


def test_a_key_of_cleanups_is_made_once_except_in_production(tmp_path: Path) -> None:
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET}
    (key,) = load(env).cleanup.keys
    assert key.startswith("AGE-SECRET-KEY-1")
    assert load(env).cleanup.keys == (key,)
    assert (tmp_path / "cleanup_key").stat().st_mode & 0o777 == 0o600
    assert load({**env, "ATSITE_ENVIRONMENT": "production"}).cleanup.keys == ()
    assert key not in repr(load(env))


def test_keys_of_cleanups_that_are_not_age_identities_are_refused(tmp_path: Path) -> None:
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "CLEANUP_KEYS": f"{AGE_KEY},secret"}
    with pytest.raises(ConfigError, match="CLEANUP_KEYS: expected age identities") as error:
        load(env)
    assert AGE_KEY not in str(error.value)


def test_stores_on_servers_are_not_embedded(tmp_path: Path) -> None:
    servers = {"CLICKHOUSE_ADDRESS": "ch.example:9000", "REDIS_ADDRESS": "redis.example:6379"}
    loaded = load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, **servers})
    assert (loaded.embedded_clickhouse, loaded.embedded_redis) == (False, False)
    assert (loaded.clickhouse_address, loaded.clickhouse_username) == ("ch.example:9000", "default")
    assert loaded.redis_url == "redis://redis.example:6379/0"
    (tmp_path / "redis").write_text("redis.example:6379")
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "REDIS_ADDRESS_FILE": str(tmp_path / "redis")}
    assert (load(env).redis_url, load(env).embedded_redis) == ("redis://redis.example:6379/0", False)


@pytest.mark.parametrize(
    ("service", "port"),
    [
        *(("manage", 0), ("beat", 0), ("worker", 8088), ("admin", 8089)),
        *(("indexer", 8091), ("search", 8093), ("feedgen", 8095)),
    ],
)
def test_each_service_has_its_documented_ports(tmp_path: Path, service: str, port: int) -> None:
    assert load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "ATSITE_SERVICE": service}).metrics_port == port
    assert SERVICE_PORTS == {"admin": 8090, "search": 8092, "feedgen": 8094}


@pytest.mark.parametrize(
    ("endpoint", "did"),
    [
        ("https://feeds.example.com", "did:web:feeds.example.com"),
        ("https://Feeds.example.com/", "did:web:feeds.example.com"),
        ("http://127.0.0.1:8094", "did:web:127.0.0.1%3A8094"),
    ],
)
def test_the_did_of_the_service_is_that_of_its_address(tmp_path: Path, endpoint: str, did: str) -> None:
    assert load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "SERVICE_ENDPOINT": endpoint}).service_did == did


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("INTERACTIONS_PER_HOUR", 500, 50_000),
        ("INTERACTIONS_TOTAL_PER_HOUR", 50_000, 1_000_000_000),
        ("KEEP_RAW_DAYS", 1, 3650),
        ("START_HOURS", 0, 8760),
        ("JETSTREAM_LOOKBACK_HOURS", 1, 8760),
        ("FEED_MIN_LIKES", 1, 1_000_000),
        ("PORT_OFFSET", 0, 56_000),
        ("METRICS_PORT", 0, 65_535),
    ],
)
def test_a_number_has_its_bounds(tmp_path: Path, name: str, low: int, high: int) -> None:
    """All of readers' interactions together are at least ten times those of one."""
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET}
    for value in (low, high):
        assert getattr(load({**env, name: str(value)}), name.lower()) == value
    for value in (low - 1, high + 1):
        if name == "INTERACTIONS_PER_HOUR" and value > high:
            with pytest.raises(ConfigError, match=r"^INTERACTIONS_TOTAL_PER_HOUR='500000'"):
                load({**env, name: str(value)})
            continue
        with pytest.raises(ConfigError, match=f"^{name}='{value}': expected a whole number from {low} to "):
            load({**env, name: str(value)})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        *(
            (name, value, f"{name}='{value}': expected host:port")
            for name in ("CLICKHOUSE_ADDRESS", "REDIS_ADDRESS")
            for value in ("host", ":9000", "host:", "host:x", "host:0", "host:65536")
        ),
        *(
            ("SERVICE_ENDPOINT", value, f"SERVICE_ENDPOINT='{value}': expected https://HOST without a path")
            for value in ("feeds.example.com", "ftp://feeds.example.com", "https://feeds.example.com/path")
        ),
        ("TRUSTED_PROXIES", "10.0.0.0/8 proxy", "TRUSTED_PROXIES: 'proxy' does not appear to be"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "TRUSTED_PROXIES: 10.0.0.1/8 has host bits set"),
    ],
)
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}"):
        load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, name: value})


@pytest.mark.parametrize("value", ["host:1", "host:65535", "[::1]:9000"])
def test_an_address_of_a_store_is_a_host_and_a_port(tmp_path: Path, value: str) -> None:
    assert (
        load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "CLICKHOUSE_ADDRESS": value}).clickhouse_address == value
    )


@pytest.mark.parametrize(
    ("argv", "service"),
    [
        (["/usr/bin/celery", "-A", "atsite", "worker"], "worker"),
        (["/lib/celery/__main__.py", "-A", "atsite", "beat"], "beat"),
        (["celery", "-A", "atsite", "inspect", "ping"], "manage"),
    ],
)
def test_a_process_of_celery_is_the_service_that_its_command_names(argv: list[str], service: str) -> None:
    assert defaults_of(argv) == {"ATSITE_SERVICE": service}


def test_a_token_of_the_demo_is_made_where_the_demo_lives() -> None:
    assert defaults_of(["manage.py", "viewer_token", "x.test"]) == {"ATSITE_ENVIRONMENT": "demo"}


@pytest.mark.parametrize(
    "address",
    ["wss://jetstream.example/subscribe", "ws://[::1]:6008/subscribe", "wss://u:p@host.example/subscribe?key=a%20b"],
)
def test_a_websocket_address_is_taken_as_it_is(tmp_path: Path, address: str) -> None:
    assert load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "WS_URL": address}).ws_url == address


@pytest.mark.parametrize(
    ("service", "port"), [("indexer", 8191), ("feedgen", 8195), ("worker", 8188), ("beat", 0), ("manage", 0)]
)
def test_an_offset_moves_the_metrics_port_unless_that_is_off(tmp_path: Path, service: str, port: int) -> None:
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "ATSITE_SERVICE": service, "PORT_OFFSET": "100"}
    assert (load(env).metrics_port, load(env).port_offset) == (port, 100)
    assert load(env | {"METRICS_PORT": "7"}).metrics_port == 7
    with pytest.raises(ConfigError, match=r"^PORT_OFFSET='60000': expected a whole number from 0 to 56000$"):
        load(env | {"PORT_OFFSET": "60000"})


def test_a_command_of_the_demo_finds_the_one_that_runs(tmp_path: Path) -> None:
    (tmp_path / RUNNING_DEMO).write_text(
        json.dumps({"PLC_URL": "http://127.0.0.1:4096", "FEED_ACTOR_DID": "did:plc:demo"})
    )
    env = {"ATSITE_ENVIRONMENT": "demo", "DATA_DIR": str(tmp_path), "PLC_URL": "https://plc.example"}
    assert (load(env).plc_url, load(env).feed_actor_did) == ("http://127.0.0.1:4096", "did:plc:demo")
    assert load({**env, "INSIDE_DEMO": "1"}).plc_url == "https://plc.example"
    assert load({**env, "ATSITE_ENVIRONMENT": "development"}).plc_url == "https://plc.example"
    (tmp_path / RUNNING_DEMO).unlink()
    assert load(env).plc_url == "https://plc.example"
