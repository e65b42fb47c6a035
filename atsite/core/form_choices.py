"""Choices of a form that another app knows: it provides them, and a form that was saved earlier may name older ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from atsite.core.extension_point import ExtensionPoint

#: (what is stored, what people call it)
Named = tuple[str, str]


class FormChoices(ExtensionPoint[Callable[[], Iterable[Named]]]):
    """Each provider is called whenever a form is made. `gone` says what became of a stored value that is no choice."""

    def __init__(self, name: str, *, gone: str) -> None:
        super().__init__(name)
        self.gone = gone

    def choices(self, also: Iterable[str] = ()) -> list[Named]:
        """All choices by value, then those of `also` that are none any more: a row may name them still."""
        known = {value: name for ask in self.providers() for value, name in ask()}
        gone = sorted(set(also) - known.keys())
        return [(value, f"{name} ({value})") for value, name in sorted(known.items())] + [
            (value, f"{value}: {self.gone}") for value in gone
        ]
