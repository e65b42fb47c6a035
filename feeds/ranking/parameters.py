"""Parameters of a kind: declared with their meaning, and read strictly from a definition. PURE.

A kind declares a frozen dataclass; forms and their help texts are made from it (feeds.admin.forms):

    @dataclass(frozen=True, slots=True)
    class TopParameters:
        hours: int = parameter(24, Between(1, 168), "Age of the oldest post, in hours.")

    read(TopParameters, {"hours": 2})
"""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from feeds.ranking.feed import InvalidDefinition
from indexer.index.query.parse import BadQuery, check_asks_for_something, parse
from indexer.index.query.tree import ACCOUNTS, ME, Filter, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feeds.ranking.feed import Parameters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number."""

    low: int
    high: int

    def problem(self, value: Any) -> str:
        good = type(value) is int and self.low <= value <= self.high
        return "" if good else f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words, each with its meaning."""

    words: Mapping[str, str]

    def problem(self, value: Any) -> str:
        good = isinstance(value, str) and value in self.words
        return "" if good else f"one of {', '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def problem(self, value: Any) -> str:
        return "" if isinstance(value, bool) else "true or false"


@dataclass(frozen=True, slots=True)
class Word:
    """Text that matches the pattern `form`, described by `wanted`; may be empty if `optional`."""

    form: str
    wanted: str
    optional: bool = False

    def problem(self, value: Any) -> str:
        good = isinstance(value, str) and ((self.optional and not value) or re.fullmatch(self.form, value))
        return "" if good else self.wanted


@dataclass(frozen=True, slots=True)
class LabelName:
    """The name of a label, or "" if `optional`; whether the label exists is not checked here."""

    optional: bool = False

    def problem(self, value: Any) -> str:
        good = isinstance(value, str) and ((self.optional and not value) or _LABEL.fullmatch(value))
        return "" if good else "the name of a label"


_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Several:
    """A list of at most `most` texts that each match the pattern `form`; `wanted` describes the list."""

    form: str
    wanted: str
    most: int

    def problem(self, value: Any) -> str:
        good = isinstance(value, list | tuple) and len(value) <= self.most and all(map(self._fits, value))
        return "" if good else f"{self.wanted}, at most {self.most}"

    def _fits(self, text: Any) -> bool:
        return isinstance(text, str) and re.fullmatch(self.form, text) is not None


@dataclass(frozen=True, slots=True)
class QueryText:
    """A search that any reader may make: a query that asks for something, and not for `me`."""

    def problem(self, value: Any) -> str:
        if not isinstance(value, str):
            return "a search"
        try:
            check_query(value)
        except BadQuery as error:
            return f"a search; {in_words(error)}"
        return ""


def check_query(text: str) -> None:
    """Raises BadQuery for a query that cannot be a feed's, whatever the index holds."""
    node = parse(text)
    check_asks_for_something(node)
    for leaf in leaves(node):
        if isinstance(leaf, Filter) and leaf.key in ACCOUNTS and leaf.value == ME:
            raise BadQuery(f"{leaf.key}:{ME} means nobody in a feed, which has many readers", leaf.at)


def in_words(error: BadQuery) -> str:
    """The message, with the place of the fault in the query, counted from 1."""
    return f"{error} (character {error.at + 1})"


#: A check of a value: `problem` describes what it must be; "" if it is valid.
Check: TypeAlias = "Between | OneOf | Flag | Word | LabelName | Several | QueryText"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kind. `meaning` is its help text; `default` is None if the parameter is required."""

    name: str
    check: Check
    meaning: str
    default: Any


def parameter(default: T, check: Check, meaning: str) -> T:
    """A field of a kind's dataclass."""
    declared: T = field(default=default, metadata={"check": check, "meaning": meaning})
    return declared


def required(check: Check, meaning: str) -> Any:
    """A field that every definition must fill."""
    return field(metadata={"check": check, "meaning": meaning})


def declared(kind: type) -> tuple[Parameter, ...]:
    """The parameters that a kind's dataclass declares, in its order."""
    return tuple(
        Parameter(
            each.name,
            each.metadata["check"],
            each.metadata["meaning"],
            None if each.default is MISSING else each.default,
        )
        for each in fields(kind)
    )


def read(into: type[T], parameters: Parameters) -> T:
    """`into` made from the parameters. Raises InvalidDefinition for an unknown name or an invalid value."""
    known = {each.name: each for each in declared(into)}
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise InvalidDefinition(f"unknown parameter {unknown[0]!r}: this kind has {', '.join(known)}")
    for name, value in parameters.items():
        if problem := known[name].check.problem(value):
            raise InvalidDefinition(f"{name} must be {problem}")
    missing = [each.name for each in known.values() if each.default is None and each.name not in parameters]
    if missing:
        raise InvalidDefinition(f"missing parameter: {', '.join(missing)}")
    # What a kind gets can be a key of its caches.
    return into(**{name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()})
