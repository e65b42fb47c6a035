"""What a PDS answers: JSON objects, errors, and how long it wants to be left alone."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from atsite.core.errors import AtsiteError
from atsite.core.outgoing import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.outgoing import Fetched

#: The longest pause (seconds) that a PDS can ask a reader for, and one who signs in or writes: some limits are daily.
WAIT_MAX_SECONDS: Final = 3600.0
WRITER_WAIT_MAX_SECONDS: Final = 86_400.0
#: Windows (seconds) of an account's limits of writes. The official PDS tells of another limiter on a good answer.
WRITE_WINDOWS: Final = frozenset({3600, 86_400})
_TOKEN: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?", re.ASCII)
_APP_PASSWORD: Final = re.compile(r"\b[a-z0-9]{4}(-[a-z0-9]{4}){3}\b", re.ASCII | re.IGNORECASE)
_POLICY: Final = re.compile(r"[0-9]{1,11};w=([0-9]{1,11})", re.ASCII)


class RateLimit(NamedTuple):
    """What a PDS says of its limit: points in all and left, and when they are all back."""

    limit: int
    remaining: int
    reset_at: int  # unix seconds
    window: int  # seconds


class PdsError(AtsiteError):
    """The PDS refused or did not answer. `name` is its XRPC error, or "Unreachable"; `status` is 0 without an answer.

    `wait`: seconds until the next request, as the PDS asked; 0 if it did not say. `limits`: the limit that was reached,
    or else that of the account's writes; None if it did not say.
    """

    def __init__(
        self, name: str, message: str, status: int = 0, wait: float = 0.0, limits: RateLimit | None = None
    ) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.status = status
        self.wait = wait
        self.limits = limits


def read_answer(fetched: Fetched, wait_max: float = WAIT_MAX_SECONDS) -> dict[str, Any]:
    """The JSON object of a good answer, {} for an empty one. Raises PdsError."""
    if fetched.status == 200 and not fetched.body:
        return {}
    content = _object(fetched)
    if fetched.status != 200 or content is None:
        raise refusal(fetched, wait_max)
    return content


def refusal(fetched: Fetched, wait_max: float = WAIT_MAX_SECONDS) -> PdsError:
    """The error that a PDS answered, for an answer that is not the expected one. `wait_max` is in seconds."""
    content, wait, limits = _object(fetched), wait_of(fetched, wait_max), limit_of(fetched)
    if content is None:
        return PdsError("InvalidResponse", "the answer is not a JSON object", fetched.status, wait, limits)
    name, message = (without_tokens(str(content.get(field) or "")) for field in ("error", "message"))
    return PdsError(name[:80] or "UnknownError", message[:300], fetched.status, wait, limits)


def without_tokens(text: str) -> str:
    """A PDS's words without anything like a token or an app password: they are stored and shown, and it knows both."""
    return _APP_PASSWORD.sub("[app password]", _TOKEN.sub("[token]", text))


def limit_of(fetched: Fetched) -> RateLimit | None:
    """The limit that was reached (429), or that of the account's writes; None if the answer tells of neither."""
    policy = _POLICY.fullmatch(fetched.headers.get("ratelimit-policy", ""))
    numbers = [fetched.headers.get(f"ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if policy is None or not all(map(_is_number, numbers)):
        return None
    limit, remaining, reset = map(int, numbers)
    window = int(policy[1])
    return RateLimit(limit, remaining, reset, window) if fetched.status == 429 or window in WRITE_WINDOWS else None


def wait_of(fetched: Fetched, most: float) -> float:
    """The seconds that `retry-after` or else, on a 429, `ratelimit-reset` asks for; at most `most`, 0 for none."""
    after, reset = fetched.headers.get("retry-after", ""), fetched.headers.get("ratelimit-reset", "")
    if _is_number(after):
        return min(float(after), most)
    if fetched.status == 429 and _is_number(reset):
        return min(max(float(reset) - time.time(), 0.0), most)
    return 0.0


def text_of(content: Mapping[str, Any], name: str, what: str) -> str:
    """The text in a field that must have one. Raises PdsError, naming the answer `what`."""
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise PdsError("InvalidResponse", f"{what} has no {name}", 200)
    return value


def _object(fetched: Fetched) -> dict[str, Any] | None:
    try:
        content = fetched.json()
    except FetchFailed:
        return None
    return content if isinstance(content, dict) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12
