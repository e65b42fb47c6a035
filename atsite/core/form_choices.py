"""Choices of a form that another app provides; a saved row may have a choice that no longer exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from atsite.core.extension_point import ExtensionPoint

#: (stored value, readable name)
Named = tuple[str, str]


class FormChoices(ExtensionPoint[Callable[[], Iterable[Named]]]):
    """Providers are called for each form. `gone` is the text for a stored value that is no longer a choice."""

    def __init__(self, name: str, *, gone: str) -> None:
        super().__init__(name)
        self.gone = gone

    def choices(self, also: Iterable[str] = ()) -> list[Named]:
        """All choices by value, then those of `also` that no longer exist, as a row may still have them."""
        known = {value: name for ask in self.providers() for value, name in ask()}
        gone = sorted(set(also) - known.keys())
        return [(value, f"{name} ({value})") for value, name in sorted(known.items())] + [
            (value, f"{value}: {self.gone}") for value in gone
        ]
