from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import RUNNING_DEMO, defaults_of, load
from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s" * 40


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


def test_a_token_of_the_demo_is_made_where_the_demo_lives() -> None:
    assert defaults_of(["manage.py", "viewer_token", "x.test"]) == {"ATSITE_ENVIRONMENT": "demo"}


@pytest.mark.parametrize(
    "address",
    ["wss://jetstream.example/subscribe", "ws://[::1]:6008/subscribe", "wss://u:p@host.example/subscribe?key=a%20b"],
)
def test_a_websocket_address_is_taken_as_it_is(tmp_path: Path, address: str) -> None:
    assert load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "WS_URL": address}).ws_url == address


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


@pytest.mark.parametrize(
    ("service", "port"), [("indexer", 8191), ("feedgen", 8195), ("worker", 8188), ("beat", 0), ("manage", 0)]
)
def test_an_offset_moves_the_metrics_port_unless_that_is_off(tmp_path: Path, service: str, port: int) -> None:
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET, "ATSITE_SERVICE": service, "PORT_OFFSET": "100"}
    assert (load(env).metrics_port, load(env).port_offset) == (port, 100)
    assert load(env | {"METRICS_PORT": "7"}).metrics_port == 7
    with pytest.raises(ConfigError, match=r"^PORT_OFFSET='60000': expected a whole number from 0 to 56000$"):
        load(env | {"PORT_OFFSET": "60000"})
