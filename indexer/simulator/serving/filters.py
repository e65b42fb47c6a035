"""The options of a Jetstream v1 subscriber, in the connection's query and in options_update frames.

Rules: https://github.com/bluesky-social/jetstream (docs/README.md, "subscribe"). Identity and account events pass any
`wantedCollections`, and an unreadable line passes every filter: the host does not check what it relays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from atsite.core.atproto.syntax import is_did, is_nsid

COLLECTIONS_MAX: Final = 100
DIDS_MAX: Final = 10_000
# The largest options_update frame, in bytes.
OPTIONS_MAX: Final = 10_000_000
_PREFIX: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.\*")


class BadOptions(ValueError):
    """Jetstream refuses the subscriber's options; the text is for the subscriber."""


class _Commit(msgspec.Struct):
    collection: str


class _Event(msgspec.Struct):
    did: str
    commit: _Commit | None = None


_decode_event: Final = msgspec.json.Decoder(_Event).decode


@dataclass(frozen=True, slots=True)
class Options:
    """The filter of a subscriber; without options it gets all events."""

    collections: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    dids: frozenset[str] = frozenset()
    max_bytes: int = 0

    @property
    def wants_all(self) -> bool:
        """Whether every line passes, so that no line needs a check."""
        return not (self.collections or self.prefixes or self.dids or self.max_bytes)

    def passes(self, line: bytes) -> bool:
        """Whether this event is sent."""
        if self.max_bytes and len(line) > self.max_bytes:
            return False
        if not (self.collections or self.prefixes or self.dids):
            return True
        try:
            event = _decode_event(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return True
        if self.dids and event.did not in self.dids:
            return False
        if event.commit is None or not (self.collections or self.prefixes):
            return True
        collection = event.commit.collection
        return collection in self.collections or collection.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Subscription:
    """The query of a connection; `cursor` is unix microseconds, None for the live tail."""

    options: Options
    cursor: int | None = None
    compress: bool = False
    require_hello: bool = False


def parse_query(query: str) -> Subscription:
    """The subscription a query string asks for; raises BadOptions."""
    values = parse_qs(query, keep_blank_values=True)
    last = {name: texts[-1] for name, texts in values.items()}
    cursor = last.get("cursor", "")
    if cursor and re.fullmatch(r"-?[0-9]{1,19}", cursor) is None:
        raise BadOptions(f"cursor must be unix microseconds, not {cursor[:40]!r}")
    return Subscription(
        make_options(
            values.get("wantedCollections", []), values.get("wantedDids", []), last.get("maxMessageSizeBytes")
        ),
        int(cursor) if cursor else None,
        compress=last.get("compress") == "true",
        require_hello=last.get("requireHello") == "true",
    )


def parse_update(message: bytes) -> Options:
    """The options of an options_update message; they replace all earlier ones. Raises BadOptions."""
    try:
        update = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadOptions("an options_update must be JSON") from error
    payload = update.get("payload") if isinstance(update, dict) and update.get("type") == "options_update" else None
    if not isinstance(payload, dict):
        raise BadOptions('the only message is {"type":"options_update","payload":{…}}')
    size = payload.get("maxMessageSizeBytes", 0)
    if not isinstance(size, int):
        raise BadOptions("maxMessageSizeBytes must be a whole number")
    return make_options(payload.get("wantedCollections") or [], payload.get("wantedDids") or [], str(size))


def make_options(collections: Any, dids: Any, max_bytes: str | None) -> Options:
    """Options from untrusted values; an invalid or negative size means no limit. Raises BadOptions."""
    for name, values, limit in (("wantedCollections", collections, COLLECTIONS_MAX), ("wantedDids", dids, DIDS_MAX)):
        if not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
            raise BadOptions(f"{name} must be a list of texts")
        if len(values) > limit:
            raise BadOptions(f"{name} may name {limit}, not {len(values)}")
    prefixes = tuple(text[:-1] for text in collections if _PREFIX.fullmatch(text))
    exact = frozenset(text for text in collections if not text.endswith(".*"))
    for text in collections:
        if not (is_nsid(text) or _PREFIX.fullmatch(text)):
            raise BadOptions(f"wantedCollections: neither a collection nor a prefix: {text[:80]!r}")
    for text in dids:
        if not is_did(text):
            raise BadOptions(f"wantedDids: not a did: {text[:80]!r}")
    size = int(max_bytes) if max_bytes and re.fullmatch(r"[0-9]{1,18}", max_bytes) else 0
    return Options(exact, prefixes, frozenset(dids), size)
