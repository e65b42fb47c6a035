"""What people write when they mean an actor: a handle, a did, or the address of a profile. PURE."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from atsite.core.atproto.syntax import Did, Handle, is_did, is_handle
from atsite.core.errors import AtsiteError

Identifier: TypeAlias = "Did | Handle"

EXAMPLES = "alice.bsky.social, did:plc:… or https://bsky.app/profile/alice.bsky.social"
#: How much of a wrong text is repeated.
_SHOWN = 80
#: Characters that copying from a page brings along and nobody sees: marks of direction, joiners, a byte order mark.
_INVISIBLE = dict.fromkeys([0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class NotAnActor(AtsiteError):
    """The text names nobody, or nobody who can be found; the message is for whoever wrote it."""


def read(text: str) -> Identifier:
    """The did, or the handle in lower case, that `text` means. Raises NotAnActor."""
    bare = text.translate(_INVISIBLE).strip()
    if not bare:
        raise NotAnActor(f"Enter a handle, a did or a profile address, such as {EXAMPLES}.")
    name = _of_address(bare) or bare.removeprefix("at://").removeprefix("@")
    if is_did(name):
        return name
    name = name.lower().rstrip(".")
    if is_handle(name):
        return name
    raise NotAnActor(f"“{shown(bare)}” is neither a handle, nor a did, nor a profile address, such as {EXAMPLES}.")


def shown(text: str) -> str:
    """A bounded part of a text that somebody wrote."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _of_address(text: str) -> str:
    """The actor's part of https://HOST/profile/ACTOR/… (any client's), or of at://ACTOR/…; "" where it is neither."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return ""
    if parts.scheme == "at":
        return text.removeprefix("at://").partition("/")[0]
    path = [unquote(part) for part in parts.path.split("/")]
    if parts.scheme in ("http", "https") and len(path) > 2 and path[1] == "profile":
        return path[2].removeprefix("@")
    return ""
