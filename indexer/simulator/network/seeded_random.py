"""Random draws that depend only on the seed and a number, so each event is always the same, in any order."""

from __future__ import annotations

import struct
from bisect import bisect_left
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWS: Final = 16
DRAW_MAX: Final = 0xFFFF
_UNPACK: Final[Callable[[bytes], tuple[int, ...]]] = struct.Struct(f"<{DRAWS}H").unpack


class Chance:
    """Draws of 16 bits each, independent between numbers and between purposes."""

    def __init__(self, seed: int) -> None:
        self._key = str(seed).encode()[:64]

    def draws(self, number: int) -> tuple[int, ...]:
        """16 draws of 0 to 65535 for event `number`."""
        return _UNPACK(blake2b(number.to_bytes(8, "little"), key=self._key, digest_size=32).digest())

    def of(self, purpose: bytes, number: int) -> tuple[int, ...]:
        """16 more draws, for something other than the event itself."""
        return _UNPACK(blake2b(number.to_bytes(8, "little"), key=self._key, salt=purpose, digest_size=32).digest())

    def digest(self, purpose: bytes, number: int, size: int) -> bytes:
        """`size` bytes for a name."""
        return blake2b(number.to_bytes(8, "little"), key=self._key, salt=purpose, digest_size=size).digest()


def zipf_table(size: int, exponent: float, shift: float = 1.0) -> tuple[int, ...]:
    """For each value of a draw a rank of 0 to size - 1; rank r has the weight 1 / (r + shift) ** exponent."""
    weights = list(accumulate(1 / (rank + shift) ** exponent for rank in range(size)))
    scale = weights[-1] / (DRAW_MAX + 1)
    return tuple(bisect_left(weights, (draw + 0.5) * scale) for draw in range(DRAW_MAX + 1))
