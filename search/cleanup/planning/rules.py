"""The rules of a clean-up: what its owner chose to delete, up to when, and what to keep. PURE."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from atsite.core.atproto.aturi import is_at_uri
from atsite.core.errors import AtsiteError
from search.cleanup.planning.record_dates import DAY_US
from search.cleanup.planning.record_links import NoHost, plain_host
from search.cleanup.planning.record_types import RecordType

if TYPE_CHECKING:
    from collections.abc import Callable

#: Hosts of moving pictures that Bluesky's app offers or plays; a link to them is media.
MEDIA_HOSTS: Final = frozenset({"tenor.com", "giphy.com", "klipy.com"})
#: The most values of one list, so that a plan of a large repo stays quick.
LIST_MAX: Final = 1_000
#: No count of days or likes is higher.
NUMBER_MAX: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")


class InvalidRules(AtsiteError, ValueError):
    """A rule has a value that it cannot have; the message names the rule and says what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What to delete and what to keep. Checked when it is made: raises InvalidRules.

    Lists may come in any order, with duplicates; they are stored as sets, and equal rules are equal.
    """

    #: A record goes only if all of its types are chosen.
    types: frozenset[RecordType]
    #: Records from before this many days ago go; 0 is now. Either this or `delete_before`.
    delete_until_days_ago: int | None = None
    #: Records from before this moment go; it needs a time zone.
    delete_before: datetime | None = None
    keep_pinned: bool = True
    keep_self_liked: bool = True
    #: Posts with more likes than this are kept.
    keep_above_likes: int | None = None
    #: Posts that others have replied to are kept.
    keep_replied_to: bool = False
    #: Posts whose text contains one of these are kept, upper or lower case.
    keep_texts: frozenset[str] = frozenset()
    #: Posts that link to one of these domains, or to a subdomain, are kept.
    keep_domains: frozenset[str] = frozenset()
    #: These records are kept: at-uris.
    keep_uris: frozenset[str] = frozenset()
    #: Hosts whose links count as media, with their subdomains.
    media_hosts: frozenset[str] = MEDIA_HOSTS

    def __post_init__(self) -> None:
        self._set("types", _set_of("types", self.types, _record_type))
        if not self.types:
            raise InvalidRules(f"types: choose at least one of {_all_types()}")
        if (self.delete_until_days_ago is None) == (self.delete_before is None):
            raise InvalidRules("give either delete_until_days_ago or delete_before, not both")
        _whole_number("delete_until_days_ago", self.delete_until_days_ago)
        _moment("delete_before", self.delete_before)
        for name in ("keep_pinned", "keep_self_liked", "keep_replied_to"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidRules(f"{name}: enter true or false")
        _whole_number("keep_above_likes", self.keep_above_likes)
        self._set("keep_texts", _set_of("keep_texts", self.keep_texts, _text))
        self._set("keep_domains", _set_of("keep_domains", self.keep_domains, _domain))
        self._set("keep_uris", _set_of("keep_uris", self.keep_uris, _record_uri))
        self._set("media_hosts", _set_of("media_hosts", self.media_hosts, _domain))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def cutoff_us(self, now_us: int) -> int:
        """Unix microseconds: a record goes only if its date is before this."""
        if self.delete_before is not None:
            return (self.delete_before - _EPOCH) // timedelta(microseconds=1)
        return now_us - (self.delete_until_days_ago or 0) * DAY_US

    def cut_off(self, now_us: int) -> datetime:
        """The same as a moment; one before the year 1, which no record's date reaches, is the first one there is."""
        try:
            return _EPOCH + timedelta(microseconds=self.cutoff_us(now_us))
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)

    def as_json(self) -> dict[str, Any]:
        """All rules as JSON values, the same for equal rules: lists are sorted, times are in UTC."""
        return {field.name: _as_json(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The rules that `as_json` wrote; a rule that is missing has its default. Raises InvalidRules."""
        if not isinstance(values, dict) or "types" not in values:
            raise InvalidRules("expected an object with the rules, types among them")
        if unknown := values.keys() - {field.name for field in fields(cls)}:
            raise InvalidRules(f"{_shown(min(unknown, key=repr))} is not a rule")
        return cls(**{**values, "delete_before": _moment_in(values.get("delete_before"))})


def _as_json(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def _set_of(name: str, values: object, read: Callable[[str, object], Item]) -> frozenset[Item]:
    if not isinstance(values, list | tuple | set | frozenset):
        raise InvalidRules(f"{name}: enter a list")
    if len(values) > LIST_MAX:
        raise InvalidRules(f"{name}: enter at most {LIST_MAX:,} values")
    return frozenset(read(name, value) for value in values)


def _all_types() -> str:
    return ", ".join(RecordType)


def _record_type(name: str, value: object) -> RecordType:
    try:
        return RecordType(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise InvalidRules(f"{name}: {_shown(value)} is not one of {_all_types()}") from error


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidRules(f"{name}: {_shown(value)} is not a text, or is empty")
    return value


def _domain(name: str, value: object) -> str:
    """One label alone, as com, would keep nearly everything, so it is taken for a mistake."""
    try:
        domain = plain_host(value) if isinstance(value, str) else ""
    except NoHost:
        domain = ""
    if "." not in domain:
        raise InvalidRules(f"{name}: {_shown(value)} is not a domain, such as example.com")
    return domain


def _record_uri(name: str, value: object) -> str:
    if not isinstance(value, str) or not is_at_uri(value) or value.count("/") != 4:
        raise InvalidRules(f"{name}: {_shown(value)} is not the at-uri of a record: at://did/collection/rkey")
    return value


def _whole_number(name: str, value: object) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= NUMBER_MAX):
        raise InvalidRules(f"{name}: {_shown(value)} is not a whole number from 0 to {NUMBER_MAX:,}")


def _moment(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidRules(f"{name}: {_shown(value)} is not a time with a time zone")
    try:
        value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidRules(f"{name}: {_shown(value)} is outside of the years 1 to 9999") from error


def _moment_in(text: object) -> object:
    """A datetime out of JSON; what is not one is refused with the other rules."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _shown(value: object) -> str:
    """The beginning of a value, for a message; a huge number cannot be written out."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 80 else f"{text[:80]}…"
