"""Blocks of a CAR file (version 1), found by their CID: https://ipld.io/specs/transport/car/carv1/.

The file is mapped into memory, so the kernel can drop its pages at any time. Nobody may shorten it meanwhile: reading a
page that is gone ends the process.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from atsite.core.repo.cid import CID_BYTES, cid_of, format_cid, is_binary_cid
from atsite.core.repo.dag_cbor import decode_canonical
from atsite.core.repo.errors import InvalidRepo

if TYPE_CHECKING:
    from mmap import mmap

#: Bytes of a block's content. The protocol limits records to 1 MiB, and nodes are far smaller.
BLOCK_MAX: Final = 1 << 20
#: A header with one root has 58 bytes.
_HEADER_MAX: Final = 1024
#: A length of up to BLOCK_MAX and its CID fits into 3 groups of 7 bits; one more than that is read to name the length.
_VARINT_MAX: Final = 4
_LENGTH_BITS: Final = 21


class Blocks:
    """The blocks of one file. Raises InvalidRepo if it has no valid header or a section is malformed."""

    def __init__(self, data: mmap) -> None:
        self._data = data
        self.root, position = self._header()
        self._table = _Table(data)
        while position < len(data):
            position = self._section(position)

    def __contains__(self, cid: bytes) -> bool:
        return self._table.find(cid) is not None

    def __len__(self) -> int:
        return self._table.used

    def slot(self, cid: bytes) -> int | None:
        """A number that no other block of the file has; None where the block is missing."""
        return self._table.slot(cid)

    def read(self, cid: bytes, what: str) -> bytes:
        """The content of a block, checked against its CID; raises InvalidRepo, naming it `what`."""
        found = self._table.find(cid)
        if found is None:
            raise InvalidRepo(f"the file is incomplete: {what} {format_cid(cid)} is missing")
        start, length = found
        content = self._data[start + CID_BYTES : start + length]
        if cid_of(content, cid[:4]) != cid:
            raise InvalidRepo(f"the content of {what} {format_cid(cid)} does not have its hash")
        return content

    def _header(self) -> tuple[bytes, int]:
        length, start = self._varint(0)
        if not 0 < length <= _HEADER_MAX:
            raise InvalidRepo(f"the file is not a CAR file: its header has {length} bytes")
        header = decode_canonical(self._data[start : self._end(start, length)], "the file's header")
        if header.keys() != {"version", "roots"} or type(header["version"]) is not int or header["version"] != 1:
            raise InvalidRepo("the file is not a CAR file of version 1")
        roots = header["roots"]
        if not isinstance(roots, list) or len(roots) != 1:
            raise InvalidRepo("the file's header does not name exactly one root")
        if not isinstance(roots[0], bytes) or not is_binary_cid(roots[0]):
            raise InvalidRepo("the root in the file's header is not a CID")
        return roots[0], start + length

    def _section(self, position: int) -> int:
        """Adds the block at `position` to the table; returns the position after it."""
        length, start = self._varint(position)
        if not CID_BYTES < length <= CID_BYTES + BLOCK_MAX:
            raise InvalidRepo(f"the block at byte {position} has an impossible length: {length} bytes")
        end = self._end(start, length)
        if not is_binary_cid(self._data[start : start + CID_BYTES]):
            raise InvalidRepo(f"the block at byte {position} does not begin with a CID of the protocol")
        self._table.add(start, length)
        return end

    def _end(self, start: int, length: int) -> int:
        if start + length > len(self._data):
            raise InvalidRepo(f"the file ends early: {length} bytes should follow byte {start}")
        return start + length

    def _varint(self, position: int) -> tuple[int, int]:
        """The unsigned varint at `position`, and the position after it."""
        value = 0
        for index, byte in enumerate(self._data[position : position + _VARINT_MAX]):
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                if byte == 0 and index:
                    break
                return value, position + index + 1
        raise InvalidRepo(f"no valid length at byte {position} of the file")


class _Table:
    """Where each CID is in the file: a hash table of 16 to 32 bytes per block, which keeps no CIDs of its own.

    A dict of CIDs would take 180 bytes per block. `hash` of bytes is keyed per process, so chosen CIDs do not collide.
    """

    def __init__(self, data: mmap) -> None:
        self._data = data
        self.used = 0
        self._slots = _empty(1024)

    def find(self, cid: bytes) -> tuple[int, int] | None:
        """Start and length of the CID and its content."""
        packed = self._slots[self._slot(cid)]
        return (packed >> _LENGTH_BITS, packed & ((1 << _LENGTH_BITS) - 1)) if packed else None

    def slot(self, cid: bytes) -> int | None:
        """The number of the slot that holds `cid`."""
        slot = self._slot(cid)
        return slot if self._slots[slot] else None

    def add(self, start: int, length: int) -> None:
        """Adds the block whose CID is at `start`; the first of equal CIDs stays."""
        slot = self._slot(self._data[start : start + CID_BYTES])
        if self._slots[slot]:
            return
        self._slots[slot] = start << _LENGTH_BITS | length
        self.used += 1
        if 2 * self.used > len(self._slots):
            self._grow()

    def _slot(self, cid: bytes) -> int:
        """The slot that holds `cid`, or the empty one where it belongs."""
        slots, data, mask = self._slots, self._data, len(self._slots) - 1
        slot = hash(cid) & mask
        while packed := slots[slot]:
            start = packed >> _LENGTH_BITS
            if data[start : start + CID_BYTES] == cid:
                break
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old = self._slots
        self._slots = _empty(2 * len(old))
        for packed in old:
            if packed:
                start = packed >> _LENGTH_BITS
                self._slots[self._slot(self._data[start : start + CID_BYTES])] = packed


def _empty(size: int) -> array[int]:
    return array("Q", bytes(8 * size))
