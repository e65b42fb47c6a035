"""Where labels are used, told by whoever uses them (settings.LABEL_USES): feeds, which this app does not import."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that a label opens or fills. `name`: a feed's record key; `url`: its page in the admin."""

    label: str
    name: str
    url: str
    #: What it does with the label, in a few words.
    how: str


#: What `settings.LABEL_USES` names.
Source = Callable[[], Iterable[Use]]
NOTHING: Final[tuple[Use, ...]] = ()


def uses() -> dict[str, tuple[Use, ...]]:
    """All uses, by label."""
    found: dict[str, tuple[Use, ...]] = {}
    for name in settings.LABEL_USES:
        source: Source = import_string(name)
        for use in source():
            found[use.label] = (*found.get(use.label, NOTHING), use)
    return found
