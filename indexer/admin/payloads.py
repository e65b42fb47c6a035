"""Makes untrusted payloads readable: indents JSON and escapes control characters. Pure."""

from __future__ import annotations

import json
import unicodedata
from typing import Final

#: Characters shown; a frame may have 16 MB.
SHOWN: Final = 100_000
#: Control and format characters (direction overrides among them), surrogates, private and unassigned ones.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT: Final = frozenset("\n\t")


def readable(payload: str | bytes) -> str:
    """The payload as readable text: at most SHOWN characters, and how many more there are. The caller escapes HTML."""
    text = payload.decode("utf-8", "backslashreplace") if isinstance(payload, bytes) else payload
    laid_out = _laid_out(text)
    shown = "".join(map(_visible, laid_out[:SHOWN]))
    rest = len(laid_out) - SHOWN
    return f"{shown}\n… and {rest} more characters" if rest > 0 else shown


def _laid_out(text: str) -> str:
    """JSON indented; any other text, and JSON that is nested too deep, unchanged."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _visible(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
