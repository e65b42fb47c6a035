"""Where every process of a site finds its embedded stores, without starting any."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.config import config
from atsite.supervision import stores
from atsite.supervision.stores import running_stores

if TYPE_CHECKING:
    from pathlib import Path

    from atsite.core.config import Config

ELSEWHERE: dict[str, Any] = {
    "clickhouse_address": "ch.example:9000", "clickhouse_username": "u", "clickhouse_password": "p",
    "redis_url": "redis://r.example:6379/0",
}  # fmt: skip
CLICKHOUSE = {"clickhouse_address": "127.0.0.1:9001", "clickhouse_username": "own", "clickhouse_password": "secret"}
REDIS = "redis://127.0.0.1:6380/0"


class Stores:
    """What was asked for, and the addresses of stores that run."""

    made: dict[str, Any]
    events: list[str]

    def __init__(self, folder: Path, **options: Any) -> None:
        Stores.made = {"folder": folder, **options}
        self.clickhouse = SimpleNamespace(host="127.0.0.1", tcp_port=9001, user="own", password="secret")
        self.valkey = SimpleNamespace(url=lambda: REDIS)

    def __enter__(self) -> None:
        self.events.append("started")

    def __exit__(self, *_: object) -> None:
        self.events.append("stopped")


@pytest.fixture(autouse=True)
def _no_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    Stores.events = []
    monkeypatch.setattr(stores, "EmbeddedStores", Stores)


def addresses(site: Config) -> dict[str, Any]:
    return {name: getattr(site, name) for name in ELSEWHERE}


@pytest.mark.parametrize("clickhouse", [True, False])
@pytest.mark.parametrize("valkey", [True, False])
def test_addresses_of_stores_that_are_started_replace_those_of_the_site_and_are_kept_while_they_run(
    tmp_path: Path, clickhouse: bool, valkey: bool
) -> None:
    started = (CLICKHOUSE if clickhouse else {}) | ({"redis_url": REDIS} if valkey else {})
    site = dataclasses.replace(
        config,
        **ELSEWHERE,
        data_dir=tmp_path,
        clickhouse_database="d",
        port_offset=7,
        embedded_clickhouse=clickhouse,
        embedded_redis=valkey,
    )
    file, say = tmp_path / "stores.json", Stores.events.append

    with running_stores(site, purpose="up", usual_ports=True, say=say) as found:
        assert addresses(found) == ELSEWHERE | started
        kept = json.loads(file.read_text())
        assert kept == (CLICKHOUSE if clickhouse else {}) | ({"redis_address": REDIS} if valkey else {})
        assert file.stat().st_mode & 0o777 == 0o600
        assert Stores.events == ["started"]

    assert not file.exists()
    assert Stores.events == ["started", "stopped"]
    assert Stores.made == {
        "folder": tmp_path, "purpose": "up", "clickhouse": clickhouse, "valkey": valkey, "database": "d",
        "usual_ports": True, "port_offset": 7, "report": say,
    }  # fmt: skip


def test_a_site_that_ends_by_an_error_leaves_no_addresses(tmp_path: Path) -> None:
    site = dataclasses.replace(config, data_dir=tmp_path, embedded_clickhouse=True, embedded_redis=True)

    def fails() -> None:
        with running_stores(site, purpose="up", usual_ports=False, say=print):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (list(tmp_path.iterdir()), Stores.events) == ([], ["started", "stopped"])
