from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsite.core.atproto.keys import public_key_of
from atsite.core.repo import open_repo
from atsite.core.repo.cid import cid_of, format_cid
from tests.core.repo.repo_files import DID, PUBLIC, REV, car, header, put, put_repo, repo_file, section
from tests.tokens import key

if TYPE_CHECKING:
    from pathlib import Path

BLOB = cid_of(b"an image", b"\x01\x55\x12\x20")
_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.builds(
    lambda collection, rkey: f"{collection}/{rkey}",
    st.sampled_from(["app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.feed.postgate", "com.example.a"]),
    st.text(string.ascii_letters + string.digits + "_~.:-", min_size=1, max_size=20).filter(
        lambda rkey: rkey not in (".", "..")
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(records=st.dictionaries(_NAMES, st.dictionaries(_TEXT, _VALUES, max_size=4), max_size=60))
def test_what_was_written_is_read_back_in_order(records: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "repo.car"
    file.write_bytes(repo_file(records))
    expected = [
        (*name.split("/"), format_cid(put({}, records[name])), records[name])
        for name in sorted(records, key=str.encode)
    ]
    with open_repo(file, DID, PUBLIC) as repo:
        assert list(repo.records()) == expected
        assert list(repo.record_keys()) == [record[:3] for record in expected]
        assert (repo.did, repo.rev) == (DID, REV)


def test_links_and_bytes_in_records_have_the_form_of_json(tmp_path: Path) -> None:
    file = tmp_path / "repo.car"
    file.write_bytes(repo_file({"app.bsky.feed.post/1": {"a": [{"ref": BLOB}, [b"\x00\xff"]], "b": b"", "c": "bytes"}}))
    with open_repo(file, DID, PUBLIC) as repo:
        assert [record.value for record in repo.records()] == [
            {"a": [{"ref": {"$link": format_cid(BLOB)}}, [{"$bytes": "AP8"}]], "b": {"$bytes": ""}, "c": "bytes"}
        ]


def test_a_repo_signed_on_the_other_curve_is_read(tmp_path: Path) -> None:
    file, signer = tmp_path / "repo.car", key(12, ec.SECP256R1())
    file.write_bytes(repo_file({"app.bsky.feed.post/1": {}}, signer=signer))
    with open_repo(file, DID, public_key_of(signer)) as repo:
        assert [found.rkey for found in repo.record_keys()] == ["1"]


def test_blocks_in_any_order_twice_and_of_no_use_change_nothing(tmp_path: Path) -> None:
    blocks: dict[bytes, bytes] = {}
    root = put_repo(blocks, [(f"app.bsky.feed.post/{number}", {"n": number}) for number in range(3000)])
    usual, unusual = tmp_path / "usual.car", tmp_path / "unusual.car"
    usual.write_bytes(car(root, blocks))
    parts = [section(cid, content) for cid, content in reversed(blocks.items())]
    unusual.write_bytes(header(root) + section(BLOB, b"an image") + b"".join(parts + parts))
    with open_repo(usual, DID, PUBLIC) as one, open_repo(unusual, DID, PUBLIC) as other:
        assert list(one.records()) == list(other.records())
        assert len(list(one.record_keys())) == 3000


def test_the_first_of_two_blocks_with_one_cid_counts(tmp_path: Path) -> None:
    file, blocks = tmp_path / "repo.car", dict[bytes, bytes]()
    root = put_repo(blocks, [("app.bsky.feed.post/1", {"n": 1})])
    wrong = b"".join(section(cid, b"other content") for cid in blocks)
    file.write_bytes(car(root, blocks) + wrong)
    with open_repo(file, DID, PUBLIC) as repo:
        assert [record.value for record in repo.records()] == [{"n": 1}]


def test_a_record_of_the_largest_size_is_read(tmp_path: Path) -> None:
    file, value = tmp_path / "repo.car", {"text": "a" * ((1 << 20) - 11)}
    assert len(value["text"]) + 11 == 1 << 20
    file.write_bytes(repo_file({"app.bsky.feed.post/1": value}))
    with open_repo(file, DID, PUBLIC) as repo:
        assert [record.value for record in repo.records()] == [value]
