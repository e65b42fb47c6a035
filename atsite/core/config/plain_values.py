"""Readers of single values of the environment (atsite.core.config). Each raises ConfigError with the name."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_IN_WS_URL = {"compress", "cursor", "requireHello", "maxMessageSizeBytes", "wantedCollections", "wantedDids"}


def choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = env.get(name) or default
    if value not in choices:
        raise ConfigError(f"{name}={value!r}: expected one of {', '.join(choices)}")
    return value


def integer(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(f"{name}={text!r}: expected a whole number from {low} to {high}")
    return int(text)


def url(env: Mapping[str, str], name: str, default: str) -> str:
    """A server's address, to which paths are appended."""
    value = env.get(name) or default
    scheme, _, host = value.partition("://")
    if value and (scheme not in ("http", "https") or not host.strip("/") or {"?", "#", " "} & set(host)):
        raise ConfigError(f"{name}={value!r}: expected https://HOST")
    return value.rstrip("/")


def websocket_url(env: Mapping[str, str], name: str, default: str) -> str:
    """The address of a Jetstream v1 host; it may have a query of its own. It can hold a password: never quoted."""
    value = env.get(name) or default
    try:
        parts = urlsplit(value)
        user_is_whole = (parts.username is None) == (parts.password is None)
        usable = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0 and user_is_whole
    except ValueError:  # a port that is not a number, a bracket that is not closed
        usable = False
    if not usable or not value.isprintable() or " " in value or "#" in value:
        raise ConfigError(f"{name} is not a websocket address: expected wss://HOST/subscribe of a Jetstream v1 host")
    if own := sorted(_NOT_IN_WS_URL & dict(parse_qsl(parts.query, True)).keys()):
        raise ConfigError(f"{name}: remove {', '.join(own)} from its query; the indexer sets these itself")
    return value


def words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word for word in env.get(name, "").replace(",", " ").split() if word)


def networks(env: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(word) for word in words(env, name))
    except ValueError as error:
        raise ConfigError(f"{name}: {error}: expected addresses or networks such as 10.0.0.0/8") from error


def address(text: str, name: str) -> str:
    if not text:
        return ""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{name}={text!r}: expected host:port")
    return text


def redis_url(text: str) -> str:
    if not text or text.startswith(("redis://", "rediss://", "unix://")):
        return text
    return f"redis://{address(text, 'REDIS_ADDRESS')}/0"
