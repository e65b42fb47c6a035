"""Lets an app call functions of apps above it, which it must not import: they provide them in AppConfig.ready.

# the lower app, in labels/uses.py
LABEL_USES: Final = ExtensionPoint[Callable[[], Iterable[LabelUse]]]("label uses")

# the upper app, in feeds/apps.py
def ready(self) -> None:
    from feeds.label_uses import feeds_by_label
    from labels.uses import LABEL_USES

    LABEL_USES.provide(feeds_by_label)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A function type: Callable[…] with its arguments and its result.
F = TypeVar("F", bound="Callable[..., object]")


class ExtensionPoint(Generic[F]):
    """The functions that other apps provide for one purpose; `name` describes it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._provided: dict[F, int] = {}

    def provide(self, function: F, *, order: int = 0) -> None:
        """Add a function, or change its order. Lower orders come first."""
        self._provided[function] = order

    def providers(self) -> list[F]:
        """The functions by order, then as they were provided."""
        return sorted(self._provided, key=self._provided.__getitem__)

    @contextmanager
    def only(self, *functions: F) -> Iterator[None]:
        """Replace the functions inside the block, for tests."""
        before, self._provided = self._provided, dict.fromkeys(functions, 0)
        try:
            yield
        finally:
            self._provided = before
