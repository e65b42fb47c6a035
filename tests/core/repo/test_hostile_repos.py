from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libipld
import pytest

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.repo import InvalidRepo
from atsite.core.repo.cid import cid_of
from tests.core.repo.reading import problem_of, problem_of_keys, read
from tests.core.repo.repo_files import (
    DID,
    PRIVATE,
    car,
    put_repo,
    repo_file,
    sign,
)
from tests.tokens import key

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = {f"app.bsky.feed.post/{number:02}": {"text": f"post {number}", "ref": cid_of(b"x")} for number in range(4)}
RECORD = cid_of(b"a record that no test reads")
A, B = b"com.example.a/1", b"com.example.a/2"


def test_half_a_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    data = repo_file(RECORDS)
    for end in range(len(data)):
        assert problem_of(tmp_path, data[:end]), end


def test_a_changed_byte_is_refused_or_changes_no_record(tmp_path: Path) -> None:
    data = repo_file(RECORDS)
    expected = read(tmp_path, data)
    refused = 0
    for position in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[position] ^= flip
            try:
                assert read(tmp_path, bytes(changed)) == expected, position
            except InvalidRepo:
                refused += 1
    assert refused == 3 * len(data)  # every byte of a file without spare blocks counts


def test_the_repo_of_another_account_is_refused(tmp_path: Path) -> None:
    other = Did("did:plc:okblbaji7rz243bluudjlgxt")
    problem = problem_of(tmp_path, repo_file(RECORDS), did=other)
    assert problem == f"the repo belongs to {DID}, not to {other}"


def test_another_key_is_refused(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, repo_file(RECORDS), key=public_key_of(key(12)))
    assert problem == "the repo's commit is not signed with the account's signing key"


def signed(commit: dict[str, Any]) -> bytes:
    """The content of a commit with these fields."""
    encoded: bytes = libipld.encode_dag_cbor(commit | {"sig": sign(libipld.encode_dag_cbor(commit), PRIVATE)})
    return encoded


COMMIT = {"did": DID, "version": 3, "data": RECORD, "rev": "3migo7fijwi2k", "prev": None}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (signed(COMMIT | {"version": 2}), "does not have version 3"),
        (signed(COMMIT | {"version": 3.0}), "does not have version 3"),
        (signed(COMMIT | {"did": 5}), "does not name a did"),
        (signed(COMMIT | {"did": "did:plc:"}), "does not name a did"),
        (signed(COMMIT | {"rev": "yesterday"}), "has no valid rev"),
        (signed(COMMIT | {"data": None}), "does not link to a tree"),
        (signed(COMMIT | {"data": cid_of(b"", b"\x01\x55\x12\x20")}), "does not link to a tree"),
        (libipld.encode_dag_cbor(COMMIT), "is not signed with the account's signing key"),
        (libipld.encode_dag_cbor(COMMIT | {"sig": b""}), "is not signed with the account's signing key"),
        (libipld.encode_dag_cbor(COMMIT | {"sig": "text"}), "is not signed with the account's signing key"),
        (libipld.encode_dag_cbor(COMMIT | {"sig": b"\xff" * 64}), "is not signed with the account's signing key"),
        (signed(COMMIT).replace(b"\xd8\x2a\x58\x25\x00", b"\x58\x24"), "is not in canonical DAG-CBOR"),
        (b"\x80", "is not a map"),
        (b"", "has an impossible length"),
    ],
)
def test_a_commit_that_is_not_one_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    assert problem in problem_of(tmp_path, car(cid_of(content), {cid_of(content): content}))


def test_a_missing_block_is_refused_whichever_it_is(tmp_path: Path) -> None:
    blocks: dict[bytes, bytes] = {}
    root = put_repo(blocks, RECORDS.items())
    for missing in blocks:
        data = car(root, {cid: content for cid, content in blocks.items() if cid != missing})
        assert "the file is incomplete" in problem_of(tmp_path, data)
        assert "the file is incomplete" in problem_of_keys(tmp_path, data)


@pytest.mark.parametrize("record", [[], "text", 5, None, b"bytes"])
def test_a_record_that_is_not_a_map_is_refused(record: Any, tmp_path: Path) -> None:
    assert problem_of(tmp_path, repo_file({"com.example.a/1": record})) == "the record com.example.a/1 is not a map"
