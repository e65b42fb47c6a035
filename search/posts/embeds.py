"""What a post has besides its text: cards and descriptions of pictures, read from its record. PURE.

Records come from anyone: each field may be missing, of another type, or very long.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Characters of a title and of a description of a card, and of an alternative text (the app allows 2,000).
TITLE_MAX: Final = 200
DESCRIPTION_MAX: Final = 300
ALT_MAX: Final = 2_000
#: Characters of an address that is linked.
ADDRESS_MAX: Final = 2_048
#: Pictures of a post that are described: a gallery has at most so many.
PICTURES_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Card:
    """A link to a page, as the post shows it. `uri` is http or https."""

    uri: str
    host: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Embeds:
    """`alts`: the descriptions of pictures and of the video, without empty ones."""

    card: Card | None = None
    alts: tuple[str, ...] = ()


def embeds_of(record_json: str) -> Embeds:
    """The card and the alternative texts of a record; none where it cannot be read."""
    try:
        record = json.loads(record_json)
    except (ValueError, RecursionError):
        return Embeds()
    embed = _object(_object(record).get("embed"))
    # A quote with media has them one level down.
    media = _object(embed.get("media")) or embed
    return Embeds(_card(_object(media.get("external"))), tuple(_alts(media)))


def card_of_address(uri: str) -> Card | None:
    """The card of a link of which nothing else is known; None for an address that must not be linked."""
    return _card({"uri": uri})


def _card(external: dict[str, Any]) -> Card | None:
    uri = external.get("uri")
    host = _host(uri) if isinstance(uri, str) else ""
    if not host:
        return None
    title = _text(external.get("title"), TITLE_MAX)
    return Card(str(uri), host, title, _text(external.get("description"), DESCRIPTION_MAX))


def _host(uri: str) -> str:
    """The host of a web address; empty for any other, such as javascript:."""
    if len(uri) > ADDRESS_MAX:
        return ""
    try:
        parts = urlsplit(uri)
        return (parts.hostname or "").removeprefix("www.") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _alts(media: dict[str, Any]) -> Iterator[str]:
    pictures = [*_list(media.get("images")), *_list(media.get("items"))][:PICTURES_MAX]
    described = [*(_object(each).get("alt") for each in pictures)]
    if "video" in media:
        described.append(media.get("alt"))
    for alt in described:
        if text := _text(alt, ALT_MAX):
            yield text


def _text(value: object, longest: int) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    # Half a character, which JSON can spell, has no bytes in UTF-8.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= longest else f"{text[:longest]}…"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
