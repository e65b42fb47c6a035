"""Secrets out of the environment, or out of files that it names (atsite.core.config)."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def secret(env: Mapping[str, str], name: str) -> str:
    """The value of `name`, or the content of the file that `name`_FILE names. Raises ConfigError."""
    path = env.get(f"{name}_FILE")
    if not path:
        return env.get(name, "")
    if env.get(name):
        raise ConfigError(f"both {name} and {name}_FILE are set: unset one of them")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}_FILE={path!r} cannot be read: {error.strerror}") from error


def secret_key(env: Mapping[str, str], environment: str, data_dir: Path) -> str:
    """SECRET_KEY; outside production one is generated once and kept in data_dir, so that sessions survive a restart."""
    key = secret(env, "SECRET_KEY")
    if environment == "production":
        if len(key) < 32:
            raise ConfigError("SECRET_KEY (or SECRET_KEY_FILE) must be set to at least 32 characters in production")
        return key
    if key:
        return key
    try:
        return _kept_key(data_dir)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(
            f"the data folder {data_dir} cannot be used: {reason}. Make it a folder that this user can write to, on a"
            " disk with free space, or choose another one (DATA_DIR)"
        ) from error


def _kept_key(data_dir: Path) -> str:
    """The key in `data_dir`, made on the first call. Raises OSError."""
    path = data_dir / "secret_key"
    with suppress(FileNotFoundError):
        if key := path.read_text(encoding="ascii"):
            return key
        path.unlink(missing_ok=True)  # a full disk left it empty
    make_private_directory(data_dir)
    draft = path.with_name(f"secret_key.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # another process of the same start was quicker
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text(encoding="ascii")


def make_private_directory(path: Path) -> None:
    """Create `path` and its missing parents, readable only by their owner; it may exist. Raises OSError."""
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
