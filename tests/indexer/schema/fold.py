"""What the tables must hold, folded in Python from the events alone: written against the rules, not against the views.

A field of the wrong type is its default: an empty text, no list, an object without fields; so is an element of a list.
Of two equal keys the first wins.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from tests.builders import BLOCK, FOLLOW, LIKE, POST, PROFILE, REPOST, Record

Json: TypeAlias = Any
Key: TypeAlias = tuple[str, str]  # (did, rkey)
Columns: TypeAlias = dict[str, object]

#: createdAt: a day, or a day and a time of it, with or without a zone.
_WRITTEN = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"([Tt ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(\.(?P<fraction>\d+))?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>[0-5]\d))?)?",
    re.ASCII,
)


def newest(records: Iterable[Record]) -> dict[tuple[str, str, str], Record]:
    """The event that decides each (collection, did, rkey): the one with the largest version."""
    winners: dict[tuple[str, str, str], Record] = {}
    for record in records:
        key = record.collection, record.did, record.rkey
        if key not in winners or record.version >= winners[key].version:
            winners[key] = record
    return winners


def table(records: Iterable[Record], collection: str) -> dict[Key, Columns]:
    """The rows of a collection's table, tombstones included, without time_us."""
    return {
        (record.did, record.rkey): {
            **COLUMNS[collection](record.json),
            **({"cid": record.cid} if collection == POST else {}),
            "version": record.version,
            "deleted": int(record.operation == "delete"),
        }
        for (its, _, _), record in newest(records).items()
        if its == collection
    }


def live(records: Iterable[Record], collection: str) -> dict[Key, Columns]:
    """The rows that live."""
    return {key: row for key, row in table(records, collection).items() if not row["deleted"]}


def actors_by_subject(records: Iterable[Record], collection: str) -> dict[str, set[str]]:
    """Who has a live like, repost or follow of each subject."""
    subject = "subject_did" if collection == FOLLOW else "subject_uri"
    found: dict[str, set[str]] = {}
    for (did, _), row in live(records, collection).items():
        found.setdefault(str(row[subject]), set()).add(did)
    return found


def post_columns(text: str) -> Columns:
    """The columns of a post that come from its record."""
    record = _fields(_parsed(text), "text", "createdAt", "langs", "tags", "reply", "facets", "labels", "embed")
    embed = _fields(record["embed"], "$type", "images", "items", "external", "record", "media")
    media = _fields(embed["media"], "$type", "images", "items", "external")
    features = [
        _fields(feature, "tag", "did", "uri")
        for facet in _list(record["facets"])
        for feature in _list(_fields(facet, "features")["features"])
    ]
    pictures = [
        _fields(picture, "alt")
        for pictures in (embed["images"], embed["items"], media["images"], media["items"])
        for picture in _list(pictures)
    ]
    links = _distinct(
        [_text(feature["uri"]) for feature in features]
        + [_text(_fields(external, "uri")["uri"]) for external in (embed["external"], media["external"])]
    )
    kind = _text(embed["$type"])
    reply = _fields(record["reply"], "parent", "root")
    tags = [_text(feature["tag"]) for feature in features] + [_text(tag) for tag in _list(record["tags"])]
    return {
        "text": _text(record["text"]),
        "langs": [_text(lang) for lang in _list(record["langs"])],
        "tags": _distinct([_tag(tag) for tag in tags]),
        "mentions": _distinct([_text(feature["did"]) for feature in features]),
        "links": links,
        "domains": _distinct([_domain(link) for link in links]),
        "parent_uri": _text(_fields(reply["parent"], "uri")["uri"]),
        "root_uri": _text(_fields(reply["root"], "uri")["uri"]),
        "quote_uri": _quoted(kind, embed["record"]),
        "embed_kind": _embed_kind(kind),
        "images": min(len(pictures), 255),
        "images_with_alt": min(sum(_text(picture["alt"]) != "" for picture in pictures), 255),
        "has_video": int("app.bsky.embed.video" in (kind, _text(media["$type"]))),
        "labels": _distinct(
            [_text(_fields(value, "val")["val"]) for value in _list(_fields(record["labels"], "values")["values"])],
            keep_empty=True,
        ),
        "created_at": _moment(_text(record["createdAt"])),
    }


def subject_uri_column(text: str) -> Columns:
    """The column of a like or repost that comes from its record."""
    return {"subject_uri": _text(_member(_member(_parsed(text), "subject"), "uri"))}


def subject_did_column(text: str) -> Columns:
    """The column of a follow or block that comes from its record."""
    return {"subject_did": _text(_member(_parsed(text), "subject"))}


def profile_columns(text: str) -> Columns:
    """The columns of a profile that come from its record."""
    record = _parsed(text)
    return {
        "display_name": _text(_member(record, "displayName")),
        "description": _text(_member(record, "description")),
        "avatar": _text(_member(_member(_member(record, "avatar"), "ref"), "$link")),
    }


COLUMNS = {
    POST: post_columns,
    LIKE: subject_uri_column,
    REPOST: subject_uri_column,
    FOLLOW: subject_did_column,
    BLOCK: subject_did_column,
    PROFILE: profile_columns,
}


def _parsed(text: str) -> Json:
    """The value of a record's JSON; None where ClickHouse cannot read it."""
    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_first_wins, parse_constant=_refuse)
    except ValueError:
        return None


def _first_wins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    return dict(reversed(pairs))


def _refuse(constant: str) -> Json:
    raise ValueError(constant)


def _fields(value: Json, *names: str) -> dict[str, Json]:
    return {name: value.get(name) if isinstance(value, Mapping) else None for name in names}


def _member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, Mapping) else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _tag(text: str) -> str:
    """A tag as it is compared: Unicode's NFKC_Casefold, no # in front, single spaces inside."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.replace("\u200b", " ")).casefold())
    seen = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join(seen.split()).lstrip("# ")


def _distinct(texts: list[str], *, keep_empty: bool = False) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text or keep_empty]


def _domain(link: str) -> str:
    try:
        host = urlsplit(link.lower()).hostname or ""
    except ValueError:
        return ""
    return "" if ":" in host else host.removeprefix("www.")


def _quoted(kind: str, embedded: Json) -> str:
    record = _fields(embedded, "uri", "record")
    if kind == "app.bsky.embed.recordWithMedia":
        return _text(_fields(record["record"], "uri")["uri"])
    return _text(record["uri"])


def _embed_kind(kind: str) -> str:
    if not kind:
        return ""
    prefix = "app.bsky.embed."
    return kind.removeprefix(prefix)[:32] if kind.startswith(prefix) else "other"


def _moment(text: str) -> datetime | None:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    part = {name: int(digits) for name, digits in found.groupdict("0").items() if digits.isdecimal()}
    if part["hours"] > 23:
        return None
    behind = timedelta(hours=part["hours"], minutes=part["minutes"]) * (-1 if found["sign"] == "-" else 1)
    try:
        day = datetime(
            part["year"], part["month"], part["day"], part["hour"], part["minute"], part["second"], tzinfo=UTC
        )
        return day.replace(microsecond=int(f"{found['fraction'] or '':0<3.3}") * 1000) - behind
    except (ValueError, OverflowError):
        return None
