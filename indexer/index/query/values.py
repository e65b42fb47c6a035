"""The values of filters: what each may be, and its one spelling. PURE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit, urlunsplit

from atsite.core.errors import InvalidSyntax
from indexer.index import pasted_identifiers
from indexer.index.query import period
from indexer.index.query.tree import ME, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What a post may have, and be.
HAS: Final = ("media", "images", "video", "alt", "link")
IS: Final = ("reply", "root", "quote")
#: What a phrase, or a value with spaces, is between. Phones write curly ones.
QUOTES: Final = '"“”„‟«»'
#: What stands before a tag.
HASHES: Final = "#＃"
_NOT_WRITTEN: Final = re.compile(f"[\\s{QUOTES}]")
_LANG: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}")
_HOST: Final = re.compile(r"[^\s/:@?#\[\]\\\"]+")


class InvalidValue(InvalidSyntax):
    """A filter cannot have this value; the message says what it may be, and goes after the filter's name."""


def read(key: Key, text: str) -> str:
    """The one spelling of a value. Raises InvalidValue."""
    if not text:
        raise InvalidValue("expected a value")
    return _READERS[key](text)


def _account(text: str) -> str:
    if text.lower().removeprefix("@") == ME:
        return ME
    try:
        return pasted_identifiers.actor(text, otherwise="neither a did nor a handle")
    except pasted_identifiers.NotAnActor as error:
        raise InvalidValue(str(error)) from error


def _language(text: str) -> str:
    if _LANG.fullmatch(text) is None:
        raise InvalidValue("not a language code, such as en or pt-BR")
    return text.lower().replace("_", "-")


def domain(text: str) -> str:
    """The host of a domain or an address, as posts store it. Raises InvalidValue."""
    try:
        host = urlsplit(text if "://" in text else f"https://{text}").hostname or ""
    except ValueError:
        host = ""
    host = host.lower().removeprefix("www.").rstrip(".")
    if _HOST.fullmatch(host) is None:
        raise InvalidValue("not a domain, such as example.com")
    return host


def link(text: str) -> str:
    """An address in one spelling: https, the host in lower case, no fragment. Raises InvalidValue."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port, parts = "", "", urlsplit("")
    if parts.scheme.lower() not in ("http", "https") or _HOST.fullmatch(host) is None:
        raise InvalidValue("not a web address, such as https://example.com/page")
    address = urlunsplit(("https", f"{host.removeprefix('www.')}{port}", parts.path.rstrip("/"), parts.query, ""))
    return _NOT_WRITTEN.sub(lambda found: quote(found[0]), address)


def spellings_of(address: str) -> list[str]:
    """The addresses that count as the same: http or https, with or without www. and a slash at the end."""
    parts = urlsplit(address)
    return [
        urlunsplit((scheme, www + parts.netloc, parts.path + slash, parts.query, ""))
        for scheme in ("https", "http")
        for www in ("", "www.")
        for slash in ("", "/")
    ]


def _tag(text: str) -> str:
    bare = text.strip().lstrip(HASHES + QUOTES + " ")
    if not bare:
        raise InvalidValue("not a tag")
    return bare


def _moment(text: str) -> str:
    try:
        period.micros_of(text)
    except InvalidSyntax as error:
        raise InvalidValue("neither a day (YYYY-MM-DD) nor a datetime (2026-05-25T14:00:00Z)") from error
    return text


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def read_word(text: str) -> str:
        if text.lower() not in words:
            raise InvalidValue(f"expected one of {', '.join(words)}")
        return text.lower()

    return read_word


_READERS: Final[Mapping[Key, Callable[[str], str]]] = {
    Key.FROM: _account,
    Key.TO: _account,
    Key.MENTIONS: _account,
    Key.LANG: _language,
    Key.DOMAIN: domain,
    Key.URL: link,
    Key.TAG: _tag,
    Key.SINCE: _moment,
    Key.UNTIL: _moment,
    Key.HAS: _one_of(HAS),
    Key.IS: _one_of(IS),
}
