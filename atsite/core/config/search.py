"""The configuration of the search service (docs/operating.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.config.plain_values import choice, integer, words
from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A web origin: scheme, host and port (https://html.spec.whatwg.org/#origin).
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
ANY_ORIGIN: Final = "*"
#: A heading fits on a phone.
NAME_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """Who may use the search service. Clean-ups have their own access."""

    #: Whether callers without an API key are answered.
    anonymous: bool
    #: The most calls a minute from one address without a key.
    anonymous_per_minute: int
    #: The origins whose pages may read answers; `*` is every one, none is no other than the service's own.
    cors_origins: tuple[str, ...]
    #: Whether the service shows a page for people at `/` (docs/decisions/0105-a-public-page.md), and its name.
    public_page: bool
    public_page_name: str
    #: The most pages a minute that one address may load.
    public_page_per_minute: int


def search_config(env: Mapping[str, str], environment: str) -> SearchConfig:
    """Read the settings. Raises ConfigError."""
    origins = words(env, "SEARCH_CORS_ORIGINS")
    for origin in origins:
        if origin != ANY_ORIGIN and not _ORIGIN.fullmatch(origin):
            raise ConfigError(f"SEARCH_CORS_ORIGINS={origin!r}: expected https://HOST without a path, or *")
    return SearchConfig(
        anonymous=choice(env, "SEARCH_ANONYMOUS", "1", ("0", "1")) == "1",
        anonymous_per_minute=integer(env, "SEARCH_PER_MINUTE", 300, low=1, high=1_000_000),
        cors_origins=origins,
        public_page=choice(env, "PUBLIC_PAGE", "1" if environment == "demo" else "0", ("0", "1")) == "1",
        public_page_name=_name(env.get("PUBLIC_PAGE_NAME") or "Bluesky search"),
        public_page_per_minute=integer(env, "PUBLIC_PAGE_PER_MINUTE", 60, low=1, high=1_000_000),
    )


def _name(text: str) -> str:
    """The heading of every page."""
    name = " ".join(text.split())
    if len(name) > NAME_MAX or not name.isprintable():
        raise ConfigError(f"PUBLIC_PAGE_NAME: expected at most {NAME_MAX} characters that can be printed")
    return name
