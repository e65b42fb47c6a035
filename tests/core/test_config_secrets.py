"""Secrets: which are required, from where they are read, and who can read the one that is kept."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import load
from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

KEY = "k" * 32
#: The setting that each secret becomes, and what it is made of.
SECRETS = {
    "SECRET_KEY": ("secret_key", KEY, KEY),
    "DATABASE_URL": ("database_url", "postgresql://u:p@h/n", "postgresql://u:p@h/n"),
    "CLICKHOUSE_PASSWORD": ("clickhouse_password", "secret", "secret"),
    "REDIS_ADDRESS": ("redis_url", "rediss://u:p@h:6379/1", "rediss://u:p@h:6379/1"),
    "PUBLISHER_APP_PASSWORD": ("publisher_app_password", "abcd-efgh-ijkl-mnop", "abcd-efgh-ijkl-mnop"),
}


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_read_from_its_file_and_ends_where_its_text_ends(
    tmp_path: Path, name: str, environment: str
) -> None:
    field, text, loaded = SECRETS[name]
    file = tmp_path / "secret"
    file.write_text(f"{text}\n", encoding="utf-8")
    env = {"ATSITE_ENVIRONMENT": environment, "DATA_DIR": str(tmp_path), "SECRET_KEY": KEY}
    env.pop(name, None)
    assert getattr(load({**env, f"{name}_FILE": str(file)}), field) == loaded
    assert getattr(load({**env, name: text}), field) == loaded


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_given_twice_or_whose_file_is_missing_stops_the_start(tmp_path: Path, name: str) -> None:
    env = {"DATA_DIR": str(tmp_path), "SECRET_KEY": KEY, name: SECRETS[name][1]}
    (tmp_path / "secret").write_text(SECRETS[name][1], encoding="utf-8")
    with pytest.raises(ConfigError, match=f"^both {name} and {name}_FILE are set: unset one of them$"):
        load({**env, f"{name}_FILE": str(tmp_path / "secret")})
    with pytest.raises(ConfigError, match=f"^{name}_FILE='{tmp_path}/none' cannot be read: No such file or directory$"):
        load({**env, name: "", f"{name}_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("key", ["", "k" * 31])
def test_production_starts_with_no_secret_key_below_32_characters(tmp_path: Path, key: str) -> None:
    env = {"ATSITE_ENVIRONMENT": "production", "DATA_DIR": str(tmp_path)}
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    for given in ({"SECRET_KEY": key}, {"SECRET_KEY_FILE": str(tmp_path / "key")}):
        with pytest.raises(ConfigError, match=r"^SECRET_KEY \(or SECRET_KEY_FILE\) must be set to at least 32 char"):
            load({**env, **given})
    assert load({**env, "SECRET_KEY": KEY}).secret_key == KEY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]


def test_elsewhere_a_key_is_made_once_that_only_its_user_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = load({"DATA_DIR": str(folder)}).secret_key
    assert len(key) == 64
    assert load({"DATA_DIR": str(folder)}).secret_key == key
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"data": 0o700, "secret_key": 0o600, "cleanup_key": 0o600}
    assert load({"DATA_DIR": str(tmp_path / "other")}).secret_key != key


def test_a_kept_key_that_a_full_disk_left_empty_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    key = load({"DATA_DIR": str(tmp_path)}).secret_key
    assert len(key) == 64
    assert (tmp_path / "secret_key").read_text(encoding="ascii") == key
