"""The hosts that a post links to. PURE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: The longest host name of the DNS, in characters.
HOST_MAX: Final = 253
#: A host name as this module writes it: lower case, ASCII, without a dot at its end.
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LINK: Final = "app.bsky.richtext.facet#link"


class NoHost(Exception):
    """A link whose host cannot be read."""


def host_of(url: object) -> str:
    """The host of a URL, with or without a scheme, as `plain_host` writes it. Raises NoHost."""
    if not isinstance(url, str):
        raise NoHost
    # Browsers read a backslash as a slash.
    url = url.strip().replace("\\", "/")
    try:
        host = urlsplit(url if _SCHEME.match(url) else f"//{url.lstrip('/')}").hostname
    except ValueError as error:
        raise NoHost from error
    return plain_host(host or "")


def plain_host(name: str) -> str:
    """A host name in lower case, with names in other scripts in their ASCII form (xn--…). Raises NoHost."""
    if len(name) > HOST_MAX + 1:
        raise NoHost
    plain = name.lower().removesuffix(".")
    if not plain.isascii():
        try:
            plain = plain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise NoHost from error
    if len(plain) > HOST_MAX or _HOST.fullmatch(plain) is None:
        raise NoHost
    return plain


def is_within(host: str, domains: Collection[str]) -> bool:
    """Whether `host` is one of `domains` or a subdomain of one; all as `plain_host` writes them."""
    labels = host.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def hosts_of_links(post: dict[Any, Any]) -> frozenset[str]:
    """The hosts of all links of a post: in its facets, in the entities of old posts, and of its link card.

    Raises NoHost if any of them cannot be read.
    """
    return frozenset(host_of(url) for url in _links(post))


def _links(post: dict[Any, Any]) -> Iterator[object]:
    for facet in _dicts(post, "facets"):
        for feature in _dicts(facet, "features"):
            if feature.get("$type") == _LINK:
                yield feature.get("uri")
    for entity in _dicts(post, "entities"):
        if entity.get("type") == "link":
            yield entity.get("value")
    embed = post.get("embed")
    for card in (embed, embed.get("media")) if isinstance(embed, dict) else ():
        if isinstance(card, dict) and card.get("$type") == "app.bsky.embed.external":
            external = card.get("external")
            yield external.get("uri") if isinstance(external, dict) else None


def _dicts(parent: dict[Any, Any], field: str) -> list[dict[Any, Any]]:
    """The dicts in a list of `parent`, none if it has no such field. Raises NoHost for anything else."""
    items = parent.get(field, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise NoHost
    return items
