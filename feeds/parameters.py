"""Parameters of a kind, read strictly from a definition. PURE.

A kind declares a frozen dataclass with defaults, and how each field is checked:

    @dataclass(frozen=True, slots=True)
    class TopParameters:
        hours: int = 24

    read(TopParameters, parameters, {"hours": between(1, 720)})
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from feeds.feed import InvalidDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feeds.feed import Parameters

T = TypeVar("T")

#: What must hold of a value, in words; "" where it does.
Check: TypeAlias = "Callable[[Any], str]"


def read(into: type[T], parameters: Parameters, checks: Mapping[str, Check]) -> T:
    """`into` made of the parameters. Raises InvalidDefinition for an unknown name or a value that cannot be."""
    names = [field.name for field in fields(into)]  # type: ignore[arg-type]  # every kind's is a dataclass
    unknown = sorted(set(parameters) - set(names))
    if unknown:
        raise InvalidDefinition(f"unknown parameter {unknown[0]!r}: this kind has {', '.join(names)}")
    for name, value in parameters.items():
        if problem := checks[name](value):
            raise InvalidDefinition(f"{name} must be {problem}")
    try:
        return into(**parameters)
    except TypeError as error:  # one without a default is missing
        missing = [name for name in names if name not in parameters]
        raise InvalidDefinition(f"missing parameter: one of {', '.join(missing)}") from error


def between(low: int, high: int) -> Check:
    """A whole number."""

    def check(value: Any) -> str:
        return "" if type(value) is int and low <= value <= high else f"a whole number from {low} to {high}"

    return check


def one_of(*words: str) -> Check:
    """One of some words."""

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and value in words else f"one of {', '.join(words)}"

    return check


def flag(value: Any) -> str:
    """true or false."""
    return "" if isinstance(value, bool) else "true or false"
