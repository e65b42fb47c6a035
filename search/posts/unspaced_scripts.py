"""The characters of scripts that put no spaces between words: Han, kana, Hangul, Thai. PURE.

They are exactly those of the index `cj` of the table posts, which names them by script: a character too many here
would ask the index for a pair that it never holds. Python knows no scripts, so the ranges stand here; a test compares
all of them with the engine's.
"""

from __future__ import annotations

import re
from typing import Final

# First and last code point of each range, hexadecimal.
_RANGES: Final = """
e01-e3a e40-e5b 1100-11ff 2e80-2e99 2e9b-2ef3 2f00-2fd5 3005-3005 3007-3007 3021-3029 302e-302f 3038-303b 3041-3096
309d-309f 30a1-30fa 30fd-30ff 3131-318e 31f0-321e 3260-327e 32d0-32fe 3300-3357 3400-4dbf 4e00-9fff a960-a97c ac00-d7a3
d7b0-d7c6 d7cb-d7fb f900-fa6d fa70-fad9 ff66-ff6f ff71-ff9d ffa0-ffbe ffc2-ffc7 ffca-ffcf ffd2-ffd7 ffda-ffdc
16fe2-16fe3 16ff0-16ff1 1aff0-1aff3 1aff5-1affb 1affd-1affe 1b000-1b122 1b132-1b132 1b150-1b152 1b155-1b155 1b164-1b167
1f200-1f200 20000-2a6df 2a700-2b739 2b740-2b81d 2b820-2cea1 2ceb0-2ebe0 2ebf0-2ee5d 2f800-2fa1d 30000-3134a 31350-323af
"""


def _character_class() -> str:
    bounds = (span.split("-") for span in _RANGES.split())
    return "".join(f"{chr(int(first, 16))}-{chr(int(last, 16))}" for first, last in bounds)


_ANY: Final = re.compile(f"[{_character_class()}]")
_OTHERS: Final = re.compile(f"[^{_character_class()}]+")


def has_unspaced(text: str) -> bool:
    """Whether any character belongs to such a script."""
    return _ANY.search(text) is not None


def pairs(text: str) -> list[str]:
    """The pairs of neighbours that remain when every other character is taken out, as the index makes them."""
    left = _OTHERS.sub("", text)
    return [left[place : place + 2] for place in range(len(left) - 1)]
