"""Secrets out of the environment, or out of files that it names (atsite.core.config)."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage
from pyrage import x25519

from atsite.core.errors import ConfigError
from atsite.core.private_directory import make_private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
    return _kept_in(data_dir, "secret_key", lambda: secrets.token_urlsafe(48))


def cleanup_keys(env: Mapping[str, str], environment: str, data_dir: Path) -> tuple[str, ...]:
    """CLEANUP_KEYS; outside production one is generated once and kept in data_dir. Raises ConfigError."""
    text = secret(env, "CLEANUP_KEYS")
    if not text and environment != "production":
        text = _kept_in(data_dir, "cleanup_key", lambda: str(x25519.Identity.generate()))
    keys = tuple(text.replace(",", " ").split())
    try:
        for key in keys:
            x25519.Identity.from_str(key)
    except pyrage.IdentityError as error:
        raise ConfigError(
            "CLEANUP_KEYS: expected age identities, as `age-keygen` makes them: AGE-SECRET-KEY-1…"
        ) from error
    return keys


def _kept_in(data_dir: Path, name: str, generate: Callable[[], str]) -> str:
    """The key in a file of the data folder, made on the first call. Raises ConfigError."""
    try:
        return _kept_key(data_dir, name, generate)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(
            f"the data folder {data_dir} cannot be used: {reason}. Make it a folder that this user can write to, on a"
            " disk with free space, or choose another one (DATA_DIR)"
        ) from error


def _kept_key(data_dir: Path, name: str, generate: Callable[[], str]) -> str:
    """Raises OSError."""
    path = data_dir / name
    with suppress(FileNotFoundError):
        if key := path.read_text(encoding="ascii"):
            return key
        path.unlink(missing_ok=True)  # a full disk left it empty
    make_private_directory(data_dir)
    draft = path.with_name(f"{name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(generate())
        with suppress(FileExistsError):  # another process of the same start was quicker
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text(encoding="ascii")
