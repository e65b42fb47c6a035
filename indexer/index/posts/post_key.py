"""The key of a post. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from atsite.core.atproto.syntax import Nsid
from atsite.core.errors import InvalidSyntax

if TYPE_CHECKING:
    from atsite.core.atproto.aturi import AtUri

POST: Final = Nsid("app.bsky.feed.post")


@dataclass(frozen=True, slots=True, order=True)
class PostKey:
    """The key of a post; descending order is newest first."""

    rkey: str
    did: str

    @property
    def uri(self) -> str:
        return f"at://{self.did}/{POST}/{self.rkey}"

    @classmethod
    def of(cls, uri: AtUri) -> Self:
        """Raises InvalidSyntax if `uri` is not the address of a post."""
        if uri.collection != POST:
            raise InvalidSyntax(f"not the at-uri of a post: {uri}")
        return cls(uri.rkey, uri.did)
