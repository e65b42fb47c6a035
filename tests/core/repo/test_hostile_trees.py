from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import libipld
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsite.core.repo import InvalidRepo
from atsite.core.repo.cid import RAW, cid_of
from tests.core.repo.reading import problem_of, problem_of_keys, read
from tests.core.repo.repo_files import car, entry, put, put_commit

if TYPE_CHECKING:
    from pathlib import Path

RECORD = cid_of(b"\xa0")
A, B = b"com.example.a/1", b"com.example.a/2"
E1: dict[str, Any] = entry(A, RECORD)


NODE: bytes = libipld.encode_dag_cbor({"l": None, "e": [E1]})


def repo_with_root(node: object) -> bytes:
    """A file with one node and one record."""
    blocks = {RECORD: b"\xa0"}
    return car(put_commit(blocks, put(blocks, node)), blocks)


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ([], "is not a map"),
        ({"l": None}, "does not have the fields of a node"),
        ({"l": None, "e": [], "x": 1}, "does not have the fields of a node"),
        ({"l": None, "e": {}}, "does not have the fields of a node"),
        ({"l": 5, "e": []}, "invalid link to a subtree"),
        ({"l": cid_of(b"", RAW), "e": []}, "invalid link to a subtree"),
        ({"l": None, "e": [5]}, "an entry without the fields of an entry"),
        ({"l": None, "e": [{"p": 0, "k": A, "v": RECORD}]}, "an entry without the fields of an entry"),
        ({"l": None, "e": [E1 | {"p": -1}]}, "an entry with an invalid key"),
        ({"l": None, "e": [E1 | {"p": 1}]}, "an entry with an invalid key"),
        ({"l": None, "e": [E1 | {"p": False}]}, "an entry with an invalid key"),
        ({"l": None, "e": [E1 | {"k": A.decode()}]}, "an entry with an invalid key"),
        ({"l": None, "e": [E1, entry(b"2", RECORD, shared=16)]}, "an entry with an invalid key"),
        ({"l": None, "e": [E1, entry(B, RECORD)]}, "does not shorten the key 'com.example.a/2'"),
        ({"l": None, "e": [E1, entry(b"/2", RECORD, shared=13)]}, "does not shorten the key 'com.example.a/2'"),
        ({"l": None, "e": [E1, entry(b"", RECORD, shared=15)]}, "do not ascend at 'com.example.a/1'"),
        ({"l": None, "e": [E1, entry(b"0", RECORD, shared=14)]}, "do not ascend at 'com.example.a/0'"),
        ({"l": None, "e": [entry(b"", RECORD)]}, "do not ascend at ''"),
        ({"l": None, "e": [E1 | {"v": None}]}, "does not link to a record"),
        ({"l": None, "e": [E1 | {"v": cid_of(b"", RAW)}]}, "does not link to a record"),
        ({"l": None, "e": [E1 | {"t": 0}]}, "invalid link to a subtree"),
        ({"l": None, "e": [entry(b"com.example.a/" + b"1" * 900, RECORD)]}, "has a key of 914 bytes"),
        ({"l": None, "e": [entry(b"com.example.a/" + b"1" * 513, RECORD)]}, "without a valid record key"),
        ({"l": None, "e": [entry(b"com.example.a/", RECORD)]}, "without a valid record key"),
        ({"l": None, "e": [entry(b"com.example.a/..", RECORD)]}, "without a valid record key"),
        ({"l": None, "e": [entry(b"com.example.a/1/2", RECORD)]}, "without a valid record key"),
        ({"l": None, "e": [entry(b"com.example.a", RECORD)]}, "without a valid record key"),
        ({"l": None, "e": [entry(b"example/1", RECORD)]}, "without a valid collection"),
        ({"l": None, "e": [entry(b"/1", RECORD)]}, "without a valid collection"),
        ({"l": None, "e": [entry(b"com.example.\xff/1", RECORD)]}, "without a valid collection"),
    ],
)
def test_a_malformed_node_is_refused(node: object, problem: str, tmp_path: Path) -> None:
    assert problem in problem_of_keys(tmp_path, repo_with_root(node))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4))
def test_a_signed_repo_of_any_bytes_is_read_or_refused(changes: list[tuple[int, bytes]], tmp_path: Path) -> None:
    """The account itself may be hostile: hashes and the signature are then right, and the blocks are not."""
    node, record = bytearray(NODE), bytearray(libipld.encode_dag_cbor({"a": [b"a", {"b": RECORD}], "c": 1}))
    for position, written in changes:
        changed = node if position % 2 else record
        start = position // 2 % len(changed)
        changed[start : start + len(written)] = written
    node[NODE.index(RECORD) : NODE.index(RECORD) + len(RECORD)] = cid_of(bytes(record))
    blocks = {cid_of(bytes(node)): bytes(node), cid_of(bytes(record)): bytes(record)}
    data = car(put_commit(blocks, cid_of(bytes(node))), blocks)
    with suppress(InvalidRepo):
        assert len(read(tmp_path, data)) <= 1


def test_a_node_in_another_encoding_is_refused(tmp_path: Path) -> None:
    node = NODE.replace(b"\xd8\x2a\x58\x25\x00", b"\x58\x24")
    blocks = {RECORD: b"\xa0", cid_of(node): node}
    data = car(put_commit(blocks, cid_of(node)), blocks)
    assert problem_of_keys(tmp_path, data) == "a node of the repo's tree is not in canonical DAG-CBOR"


def test_an_empty_node_below_the_root_is_refused(tmp_path: Path) -> None:
    blocks = {RECORD: b"\xa0"}
    empty = put(blocks, {"l": None, "e": []})
    data = car(put_commit(blocks, put(blocks, {"l": empty, "e": [E1]})), blocks)
    assert problem_of_keys(tmp_path, data) == "a node of the repo's tree is empty, and is not the root"


def test_keys_ascend_across_nodes(tmp_path: Path) -> None:
    blocks = {RECORD: b"\xa0"}
    child = put(blocks, {"l": None, "e": [E1]})
    data = car(put_commit(blocks, put(blocks, {"l": None, "e": [entry(B, RECORD, after=child)]})), blocks)
    assert "do not ascend at 'com.example.a/1'" in problem_of_keys(tmp_path, data)


def test_a_tree_of_raw_blocks_is_refused(tmp_path: Path) -> None:
    blocks: dict[bytes, bytes] = {}
    node = libipld.encode_dag_cbor({"l": None, "e": []})
    raw = cid_of(node, b"\x01\x55\x12\x20")
    root = put_commit(blocks, raw)
    assert "does not link to a tree" in problem_of(tmp_path, car(root, {**blocks, raw: node}))


def test_a_cycle_is_refused(tmp_path: Path) -> None:
    """No hash contains itself, so the link up goes to a node whose content is another."""
    blocks: dict[bytes, bytes] = {}
    child = put(blocks, {"l": cid_of(b"the parent"), "e": [entry(A, RECORD)]})
    parent = {"l": child, "e": [entry(B, RECORD)]}
    root = put_commit(blocks, child)
    blocks[cid_of(b"the parent")] = libipld.encode_dag_cbor(parent)
    assert "does not have its hash" in problem_of_keys(tmp_path, car(root, blocks))


def test_a_node_that_is_linked_twice_is_refused(tmp_path: Path) -> None:
    blocks: dict[bytes, bytes] = {RECORD: b"\xa0"}
    tree = put(blocks, {"l": None, "e": [entry(A, RECORD)]})
    for _ in range(40):  # 2 ** 40 keys
        tree = put(blocks, {"l": tree, "e": [entry(B, RECORD, after=tree)]})
    assert "do not ascend" in problem_of_keys(tmp_path, car(put_commit(blocks, tree), blocks))


@pytest.mark.parametrize(
    ("levels", "problem"), [(128, ""), (129, "the repo's tree is too deep, or its nodes are too large")]
)
def test_a_tree_has_at_most_129_levels(levels: int, problem: str, tmp_path: Path) -> None:
    blocks: dict[bytes, bytes] = {}
    tree = put(blocks, {"l": None, "e": [entry(A, put(blocks, {}))]})
    for _ in range(levels):
        tree = put(blocks, {"l": tree, "e": []})
    data = car(put_commit(blocks, tree), blocks)
    if levels == 128:  # and the leaf
        assert [found.rkey for found in read(tmp_path, data)] == ["1"]
    else:
        assert problem_of_keys(tmp_path, data) == "the repo's tree is too deep, or its nodes are too large"


def put_large_node(blocks: dict[bytes, bytes], collection: bytes, before: bytes | None = None) -> bytes:
    """Adds a node of 400 KiB."""
    name = collection + b"/"
    entries = [entry(name + b"000000", RECORD), *(_next(name, number) for number in range(1, 7000))]
    return put(blocks, {"l": before, "e": entries})


def test_large_nodes_on_one_path_are_refused(tmp_path: Path) -> None:
    blocks, tree = {RECORD: b"\xa0"}, None
    for collection in (b"com.example.a", b"com.example.b", b"com.example.c"):
        tree = put_large_node(blocks, collection, tree)
    assert tree is not None
    problem = problem_of_keys(tmp_path, car(put_commit(blocks, tree), blocks))
    assert problem == "the repo's tree is too deep, or its nodes are too large"


def test_large_nodes_beside_each_other_are_read(tmp_path: Path) -> None:
    blocks = {RECORD: b"\xa0"}
    first, second, third = (put_large_node(blocks, b"com.example." + letter) for letter in (b"a", b"c", b"e"))
    between = [entry(b"com.example.b/1", RECORD, after=second), entry(b"d/1", RECORD, shared=12, after=third)]
    tree = put(blocks, {"l": first, "e": between})
    assert len(read(tmp_path, car(put_commit(blocks, tree), blocks))) == 3 * 7000 + 2


def _next(name: bytes, number: int) -> dict[str, Any]:
    before, now = f"{number - 1:06}", f"{number:06}"
    shared = next(at for at in range(6) if before[at] != now[at])
    return entry(now[shared:].encode(), RECORD, shared=len(name) + shared)
