from __future__ import annotations

from typing import TYPE_CHECKING

import libipld
import pytest

from atsite.core.repo.car import BLOCK_MAX
from atsite.core.repo.cid import cid_of
from tests.core.repo.reading import problem_of
from tests.core.repo.repo_files import car, header, put_commit, put_tree, section, varint

if TYPE_CHECKING:
    from pathlib import Path

ROOT = cid_of(b"root")
HEADER = header(ROOT)
ENDLESS = b"\xff" * 5000


def headed(value: object) -> bytes:
    """A file that is only this header."""
    encoded: bytes = libipld.encode_dag_cbor(value)
    return varint(len(encoded)) + encoded


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"\0", "the file is not a CAR file: its header has 0 bytes"),
        (b"<!DOCTYPE html>" * 9, "the file's header is not valid DAG-CBOR"),
        (b"PK", "the file ends early: 80 bytes should follow byte 1"),
        (ENDLESS, "no valid length at byte 0 of the file"),
        (b"\x80", "no valid length at byte 0 of the file"),
        (b"\xba\x00" + HEADER[1:], "no valid length at byte 0 of the file"),  # 58 in more bytes than it needs
        (varint(1 << 27) + HEADER, "the file is not a CAR file: its header has 134217728 bytes"),
        (header(ROOT, ROOT), "the file's header does not name exactly one root"),
        (header(), "the file's header does not name exactly one root"),
        (header(ROOT, version=2), "the file is not a CAR file of version 1"),
        (headed({"version": True, "roots": [ROOT]}), "the file is not a CAR file of version 1"),
        (headed({"version": 1}), "the file is not a CAR file of version 1"),
        (headed({"version": 1, "roots": {}}), "the file's header does not name exactly one root"),
        (headed({"version": 1, "roots": ["root"]}), "the root in the file's header is not a CID"),
        (headed({"version": 1, "roots": [b"root"]}), "the root in the file's header is not a CID"),
        (headed([1]), "the file's header is not a map"),
        (HEADER, "the file is incomplete: the repo's commit"),
        (HEADER + b"\0", "the block at byte 59 has an impossible length: 0 bytes"),
        (HEADER + varint(1 << 40) + ROOT, "no valid length at byte 59 of the file"),
        (HEADER + ENDLESS, "no valid length at byte 59 of the file"),
        (HEADER + section(ROOT, b""), "the block at byte 59 has an impossible length: 36 bytes"),
        (HEADER + varint(BLOCK_MAX + 36 + 1) + ROOT, "the block at byte 59 has an impossible length: 1048613 bytes"),
        (HEADER + varint(BLOCK_MAX + 36) + ROOT, "the file ends early: 1048612 bytes should follow byte 62"),
        (HEADER + section(b"\x12\x20" + ROOT[4:], b"123"), "does not begin with a CID of the protocol"),
        (HEADER + section(ROOT, b"other"), "the content of the repo's commit"),
    ],
)
def test_a_malformed_file_is_refused(data: bytes, problem: str, tmp_path: Path) -> None:
    assert problem in problem_of(tmp_path, data)


@pytest.mark.parametrize(
    "data", [b"\xff", b"{}", b"\xa1", b"\xa2\x61b\x01\x61a\x01", b"\xa0\xa0", b"\x81" * 5000, b"\xf9\0\0"]
)
def test_a_record_in_no_valid_encoding_is_refused(data: bytes, tmp_path: Path) -> None:
    blocks = {cid_of(data): data}
    root = put_commit(blocks, put_tree(blocks, [(b"com.example.a/1", cid_of(data))]))
    assert "the record com.example.a/1 is not valid DAG-CBOR" in problem_of(tmp_path, car(root, blocks))


@pytest.mark.parametrize(("opening", "bytes_per_item", "first"), [(b"\xba", 2, b"\x60"), (b"\x9a", 1, b"")])
def test_a_record_cannot_take_more_memory_than_its_size_allows(
    opening: bytes, bytes_per_item: int, first: bytes, tmp_path: Path
) -> None:
    """libipld alone takes seconds for nested maps or arrays in 1 MiB, and 2.5 GB for maps, before it refuses them."""
    nested = bytearray(b"\xa1\x61a")
    while len(nested) < 9000:
        nested += opening + ((BLOCK_MAX - len(nested)) // bytes_per_item - 9).to_bytes(4, "big") + first
    record = bytes(nested.ljust(BLOCK_MAX, b"\0"))
    blocks = {cid_of(record): record}
    root = put_commit(blocks, put_tree(blocks, [(b"com.example.a/1", cid_of(record))]))
    problem = "the record com.example.a/1 is not valid DAG-CBOR: it declares more items than it has bytes"
    assert problem_of(tmp_path, car(root, blocks)) == problem
