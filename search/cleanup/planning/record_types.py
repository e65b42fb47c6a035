"""The types of a record: what the owner of a repo chooses from when cleaning up. PURE.

Records are untrusted: each field may be missing or of any type. A record that cannot be understood has no types, and
what has no types is kept. docs/cleanup.md has the table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from atsite.core.atproto.aturi import SCHEME, is_at_uri
from search.cleanup.planning.record_links import NoHost, host_of, is_within

if TYPE_CHECKING:
    from collections.abc import Collection

POST: Final = "app.bsky.feed.post"
REPOST: Final = "app.bsky.feed.repost"
LIKE: Final = "app.bsky.feed.like"
_EMBED: Final = "app.bsky.embed."
#: Embeds that are media, with the field that holds the content and its type.
_MEDIA: Final[dict[str, tuple[str, type]]] = {
    f"{_EMBED}images": ("images", list),
    f"{_EMBED}gallery": ("items", list),
    f"{_EMBED}video": ("video", dict),
}


class RecordType(StrEnum):
    """A type of records. A record may have several: a reply with images is a reply and a post with media."""

    POST = "post"  # neither a reply nor a quote, and without media
    POST_WITH_MEDIA = "post_with_media"
    REPLY = "reply"
    QUOTE = "quote"  # embeds a post
    REPOST = "repost"
    LIKE = "like"


Types: TypeAlias = frozenset[RecordType]
NONE: Final[Types] = frozenset()
_MEDIA_ONLY: Final[Types] = frozenset({RecordType.POST_WITH_MEDIA})
#: The collection of the records of each type.
COLLECTION_OF: Final = {
    RecordType.POST: POST,
    RecordType.POST_WITH_MEDIA: POST,
    RecordType.REPLY: POST,
    RecordType.QUOTE: POST,
    RecordType.REPOST: REPOST,
    RecordType.LIKE: LIKE,
}


#: Plans hold many: one object for all records of a type.
_POST, _REPLY, _LIKE, _REPOST = (
    frozenset({each}) for each in (RecordType.POST, RecordType.REPLY, RecordType.LIKE, RecordType.REPOST)
)


class NotUnderstood(Exception):
    """The record does not have the expected form, so its types are not known."""


class UnknownEmbed(NotUnderstood):
    """The post embeds something that is not known here."""


def types_of(collection: str, value: object, media_hosts: Collection[str]) -> Types:
    """The types of a post, repost or like; at least one.

    `media_hosts`: hosts, in lower case, whose links count as media, with their subdomains. Raises NotUnderstood, and
    UnknownEmbed of these for an embed that is not known.
    """
    if not isinstance(value, dict) or value.get("$type") != collection:
        raise NotUnderstood
    if collection == POST:
        return _types_of_post(value, media_hosts)
    if collection in (LIKE, REPOST):
        uri_of(value.get("subject"))
        return _LIKE if collection == LIKE else _REPOST
    raise NotUnderstood


def uri_of(reference: object) -> str:
    """The at-uri that a strong reference, {uri, cid}, names: always of a record. Raises NotUnderstood."""
    uri = reference.get("uri") if isinstance(reference, dict) else None
    if not isinstance(uri, str) or not is_at_uri(uri) or uri.count("/") != 4:
        raise NotUnderstood
    return uri


def parent_of(post: dict[Any, Any]) -> str | None:
    """The at-uri of the post that a post replies to, or None. Raises NotUnderstood."""
    if "reply" not in post:
        return None
    reply = post["reply"]
    if not isinstance(reply, dict):
        raise NotUnderstood
    uri_of(reply.get("root"))
    return uri_of(reply.get("parent"))


def _types_of_post(post: dict[Any, Any], media_hosts: Collection[str]) -> Types:
    if not isinstance(post.get("text"), str):
        raise NotUnderstood
    types: Types = NONE if parent_of(post) is None else _REPLY
    if "embed" in post:
        types |= _types_of_embed(post["embed"], media_hosts)
    return types or _POST


def _types_of_embed(embed: object, media_hosts: Collection[str]) -> Types:
    """What an embed adds: a quote, media, both, or nothing."""
    if not isinstance(embed, dict):
        raise UnknownEmbed
    kind = embed.get("$type")
    if kind == f"{_EMBED}record":
        return _types_of_quoted(embed.get("record"))
    if kind == f"{_EMBED}recordWithMedia":
        quoted = embed.get("record")
        if not isinstance(quoted, dict):
            raise UnknownEmbed
        return _types_of_quoted(quoted.get("record")) | _types_of_media(embed.get("media"), media_hosts)
    return _types_of_media(embed, media_hosts)


def _types_of_quoted(reference: object) -> Types:
    """A post is quoted; lists, feeds and starter packs are only shown."""
    collection = uri_of(reference).removeprefix(SCHEME).split("/")[1]
    return frozenset({RecordType.QUOTE}) if collection == POST else NONE


def _types_of_media(media: object, media_hosts: Collection[str]) -> Types:
    """Images, a gallery, a video, or a link: which is media only if it leads to one of the hosts."""
    if not isinstance(media, dict):
        raise UnknownEmbed
    kind = media.get("$type")
    if kind == f"{_EMBED}external":
        return _MEDIA_ONLY if is_within(_host_of_card(media), media_hosts) else NONE
    field, expected = _MEDIA.get(kind, ("", dict)) if isinstance(kind, str) else ("", dict)
    content = media.get(field) if field else None
    if not isinstance(content, expected) or not content:
        raise UnknownEmbed
    return _MEDIA_ONLY


def _host_of_card(media: dict[Any, Any]) -> str:
    external = media.get("external")
    try:
        return host_of(external.get("uri") if isinstance(external, dict) else None)
    except NoHost as error:
        raise UnknownEmbed from error
