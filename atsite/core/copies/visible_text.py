"""Names and notes that people give must be seen: a text of zero-width characters or marks alone names nothing."""

from __future__ import annotations

import unicodedata
from typing import Final

from django.core.exceptions import ValidationError

#: Letters and symbols without a glyph: fillers of Hangul, and the empty pattern of Braille.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
#: Categories of Unicode that show nothing by themselves: marks, separators, controls, and what is not assigned.
_UNSEEN: Final = ("M", "Z", "C")


def is_visible(text: str) -> bool:
    """Whether any character of `text` can be seen."""
    return any(char not in _BLANK and not unicodedata.category(char).startswith(_UNSEEN) for char in text)


def require_visible(**texts: str) -> None:
    """For `clean` of a model: raises ValidationError on each field with a text of invisible characters alone."""
    unseen = [name for name, text in texts.items() if text and not is_visible(text)]
    if unseen:
        raise ValidationError(dict.fromkeys(unseen, "Enter text that can be seen: it has only invisible characters."))
