"""Turns lines into WebSocket frames (RFC 6455, section 5.2): servers do not mask, so a frame is header + line.

One write of a thousand joined frames costs the sender a hundredth of a thousand sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEXT: Final = 0x81  # the final fragment of a text message
_BINARY: Final = 0x82
# Longer lines are rare, and their headers are made when needed.
_READY_HEADERS: Final = 8_192


def header(opcode: int, length: int) -> bytes:
    """The header of an unmasked frame with a whole message."""
    if length < 126:
        return bytes((opcode, length))
    if length < 65_536:
        return bytes((opcode, 126)) + length.to_bytes(2, "big")
    return bytes((opcode, 127)) + length.to_bytes(8, "big")


_HEADERS: Final = tuple(header(_TEXT, length) for length in range(_READY_HEADERS))


def text_frames(lines: Iterable[bytes]) -> bytes:
    """The lines as text frames, joined."""
    parts: list[bytes] = []
    for line in lines:
        length = len(line)
        parts.append(_HEADERS[length] if length < _READY_HEADERS else header(_TEXT, length))
        parts.append(line)
    return b"".join(parts)


class Compressor:
    """Jetstream's `compress=true`: each line is one zstd frame with a shared dictionary."""

    def __init__(self, dictionary: bytes) -> None:
        # As on the real host the content size is left out, so a client must set its own limit for unpacking.
        self._zstd = zstandard.ZstdCompressor(
            dict_data=zstandard.ZstdCompressionDict(dictionary), write_content_size=False
        )

    def frames(self, lines: Iterable[bytes]) -> bytes:
        """The lines as binary frames, joined."""
        parts: list[bytes] = []
        for line in lines:
            packed = self._zstd.compress(line)
            parts.append(header(_BINARY, len(packed)))
            parts.append(packed)
        return b"".join(parts)
