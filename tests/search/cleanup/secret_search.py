"""Searches everything that a site keeps or tells for secrets, in the forms in which they could hide."""

from __future__ import annotations

import base64
import json
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.db import connection

from atsite.core import kv
from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def forms(secret: str) -> dict[str, bytes]:
    """The secret as it is, in base64 at each alignment, URL-encoded, escaped in JSON, in hexadecimal, reversed."""
    plain = secret.encode()
    found = {
        "plain": plain,
        "url": quote(secret, safe="").encode(),
        "json": json.dumps(secret)[1:-1].encode(),
        "escaped": "".join(f"\\u{ord(letter):04x}" for letter in secret).encode(),
        "hex": plain.hex().encode(),
        "reversed": plain[::-1],
    }
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            whole = encode(b"\0" * shift + plain)
            # The first and last letters depend on what is before and behind.
            found[f"{name} at {shift}"] = whole[(8 * shift + 5) // 6 : len(plain) * 8 // 6]
    return found


def database() -> Iterator[tuple[str, bytes]]:
    """Every row of every table of `default`, histories and sessions among them."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield f"table {table}", b"\0".join(_as_bytes(value) for value in row)


def clickhouse() -> Iterator[tuple[str, bytes]]:
    """Every row of every table of the site's ClickHouse, and the statements that it remembers."""
    tables = door.column(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'", name="tests.x"
    )
    for table in tables:
        for row in door.column(f"SELECT toString(tuple(*)) FROM `{table}`", name="tests.x"):
            yield f"ClickHouse {table}", str(row).encode()


def redis() -> Iterator[tuple[str, bytes]]:
    """Every key and value."""
    client: Any = kv.client()
    readers: dict[bytes, Any] = {
        b"string": lambda key: [client.get(key)],
        b"hash": lambda key: [part for pair in client.hgetall(key).items() for part in pair],
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": lambda key: [repr(client.xrange(key))],
    }
    for key in client.scan_iter():
        kind = client.type(key)
        values = readers[kind if isinstance(kind, bytes) else kind.encode()](key)
        yield f"Redis {key!r}", b"\0".join(map(_as_bytes, [key, *values]))


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a store merges and deletes its files at any time
            if path.is_file():
                yield f"file {path.relative_to(folder)}", _read(path)


def _read(path: Path) -> bytes:
    """The bytes of a file. Those of SQLite are read by another process: closing a file drops this process's locks."""
    if ".sqlite3" not in path.name:
        return path.read_bytes()
    return subprocess.run(["cat", path], check=True, capture_output=True).stdout


def leaks(secrets: Mapping[str, str], places: Iterable[tuple[str, bytes]]) -> set[tuple[str, str, str]]:
    """Which secret is where, and in which form."""
    needles = [(name, form, needle) for name, secret in secrets.items() for form, needle in forms(secret).items()]
    return {(name, form, where) for where, content in places for name, form, needle in needles if needle in content}


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else bytes(value) if isinstance(value, memoryview) else str(value).encode()
