"""Repos that real servers exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libipld
import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.repo import InvalidRepo, open_repo
from atsite.core.repo.cid import cid_of, parse_cid
from tests.core.repo.repo_files import PRIVATE, PUBLIC, car, put_tree, sign

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.shared_data

DIDS = {
    "jetstream_repo": Did("did:plc:53iucmf5ldftgqyf2ac7hmhd"),
    "fishyflip_test": Did("did:plc:okblbaji7rz243bluudjlgxt"),
}


def signed_again(data: bytes) -> tuple[bytes, bytes]:
    """The file with a commit that a key of the tests signed, because the accounts' keys are not known; and its tree."""
    head, decoded = libipld.decode_car(data)
    blocks = {cid: libipld.encode_dag_cbor(value) for cid, value in decoded.items()}
    commit = libipld.decode_dag_cbor(blocks.pop(head["roots"][0]))
    del commit["sig"]
    content = libipld.encode_dag_cbor(commit | {"sig": sign(libipld.encode_dag_cbor(commit), PRIVATE)})
    return car(cid_of(content), {cid_of(content): content, **blocks}), commit["data"]


def test_a_real_repo_has_the_records_that_another_library_found(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cars"
    file = tmp_path / "repo.car"
    file.write_bytes(signed_again((folder / "jetstream_repo.car").read_bytes())[0])
    with open_repo(file, DIDS["jetstream_repo"], PUBLIC) as repo:
        lines = [f"{collection}/{rkey}\t{cid}" for collection, rkey, cid in repo.record_keys()]
        assert [f"{found.collection}/{found.rkey}\t{found.cid}" for found in repo.records()] == lines
        post = next(found.value for found in repo.records() if found.rkey == "3lqcnvhqk622d")
        assert repo.rev == "3migo7fijwi2k"
    assert lines == (folder / "jetstream_repo_records.tsv").read_text("utf-8").splitlines()
    assert post["text"] == "This is my first post!"


@pytest.mark.parametrize("name", DIDS)
def test_a_tree_written_by_the_tests_is_the_one_that_the_server_wrote(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    data, tree = signed_again((shared_data / "cars" / f"{name}.car").read_bytes())
    file = tmp_path / "repo.car"
    file.write_bytes(data)
    with open_repo(file, DIDS[name], PUBLIC) as repo:
        leaves = [(f"{collection}/{rkey}".encode(), parse_cid(cid)) for collection, rkey, cid in repo.record_keys()]
    assert len(leaves) > 10
    assert put_tree({}, leaves) == tree


@pytest.mark.parametrize("name", DIDS)
def test_a_real_repo_is_refused_under_another_key(name: str, shared_data: Path) -> None:
    file = shared_data / "cars" / f"{name}.car"
    with pytest.raises(InvalidRepo, match="not signed with"), open_repo(file, DIDS[name], PUBLIC):
        pass
