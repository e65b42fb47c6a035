"""Where labels are used, provided by the app `feeds`, which this app does not import."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from atsite.core.extension_point import ExtensionPoint


@dataclass(frozen=True, slots=True)
class LabelUse:
    """One use of a label. `name`: a feed's record key; `url`: its admin page."""

    label: str
    name: str
    url: str
    #: How it uses the label, in a few words.
    how: str


LABEL_USES: Final = ExtensionPoint[Callable[[], Iterable[LabelUse]]]("uses of labels")
NOTHING: Final[tuple[LabelUse, ...]] = ()


def uses() -> dict[str, tuple[LabelUse, ...]]:
    """All uses, by label."""
    found: dict[str, tuple[LabelUse, ...]] = {}
    for source in LABEL_USES.providers():
        for use in source():
            found[use.label] = (*found.get(use.label, NOTHING), use)
    return found
