"""One exported repo: its checked commit, its keys and its records."""

from __future__ import annotations

import mmap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from atsite.core.atproto.syntax import Cid, Did, Nsid, Rkey, Tid, is_nsid, is_rkey
from atsite.core.repo.car import Blocks
from atsite.core.repo.cid import format_cid
from atsite.core.repo.commit import read_commit
from atsite.core.repo.dag_cbor import decode, to_json_form
from atsite.core.repo.errors import InvalidRepo
from atsite.core.repo.lookup import Unsure, find
from atsite.core.repo.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from atsite.core.atproto.keys import PublicKey


class RecordKey(NamedTuple):
    """Where a record is, and the CID of its content."""

    collection: Nsid
    rkey: Rkey
    cid: Cid


class Record(NamedTuple):
    """A record in the form that JSON has: links are `{"$link": …}`, byte strings `{"$bytes": …}`."""

    collection: Nsid
    rkey: Rkey
    cid: Cid
    value: dict[str, Any]


class Repo:
    """A repo whose commit was checked. Its tree and records are checked while they are read."""

    def __init__(self, blocks: Blocks, did: Did, key: PublicKey | None) -> None:
        self._blocks = blocks
        self._commit = read_commit(blocks.read(blocks.root, "the repo's commit"), did, key)

    @property
    def did(self) -> Did:
        return self._commit.did

    @property
    def rev(self) -> Tid:
        """The revision at which the repo was exported."""
        return self._commit.rev

    @property
    def cid(self) -> Cid:
        """The CID of the commit."""
        return format_cid(self._blocks.root)

    def find(self, paths: Iterable[str]) -> dict[str, Cid | Unsure | None]:
        """For each `collection/rkey` the CID of its record, None where there is none. Raises InvalidRepo.

        Works also on a file that has only the blocks since a rev, and then answers OLD_OR_GONE where the search leaves
        the file: the record is as it was at that rev, or it is gone. Where nothing is new since then, the official PDS
        sends a file without any block, which `open_repo` refuses: first compare the rev with that of the newest commit.
        """
        wanted = {path.encode(): path for path in paths}
        found = find(self._blocks, self._commit.tree, wanted)
        return {wanted[key]: format_cid(cid) if isinstance(cid, bytes) else cid for key, cid in found.items()}

    def value(self, path: str) -> dict[str, Any]:
        """The record at `collection/rkey`, in the form that JSON has. Raises InvalidRepo, also if there is none."""
        cid = find(self._blocks, self._commit.tree, [path.encode()])[path.encode()]
        if not isinstance(cid, bytes):
            raise InvalidRepo(f"the file does not have the record {path}")
        what = f"the record {path}"
        return to_json_form(decode(self._blocks.read(cid, what), what))

    def record_keys(self) -> Iterator[RecordKey]:
        """Every record by ascending `collection/rkey`, without its content, which is only known to be in the file.

        Raises InvalidRepo, possibly after some keys: delete nothing before the end is reached.
        """
        for collection, rkey, cid in self._walk():
            if cid not in self._blocks:
                raise InvalidRepo(f"the file is incomplete: the record {collection}/{rkey} is missing")
            yield RecordKey(collection, rkey, format_cid(cid))

    def records(self) -> Iterator[Record]:
        """Every record by ascending `collection/rkey`, with its content. Raises as `record_keys`."""
        for collection, rkey, cid in self._walk():
            what = f"the record {collection}/{rkey}"
            value = to_json_form(decode(self._blocks.read(cid, what), what))
            yield Record(collection, rkey, format_cid(cid), value)

    def _walk(self) -> Iterator[tuple[Nsid, Rkey, bytes]]:
        """Each key in its two parts, and the CID as bytes."""
        checked: Nsid | None = None
        for key, cid in walk(self._blocks, self._commit.tree):
            collection, _, rkey = key.decode("ascii", "replace").partition("/")
            if collection != checked and not is_nsid(collection):
                raise InvalidRepo(f"the repo's tree has a key without a valid collection: {collection[:80]!r}")
            checked = Nsid(collection)
            if not is_rkey(rkey):
                raise InvalidRepo(f"the repo's tree has a key without a valid record key: {rkey[:80]!r}")
            yield checked, rkey, cid


@contextmanager
def read_repo(file: BinaryIO, did: Did, key: PublicKey | None) -> Iterator[Repo]:
    """As `open_repo`, of a CAR file that is open already, such as one without a name."""
    if file.seek(0, 2) == 0:
        raise InvalidRepo("the file is empty")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield Repo(Blocks(data), did, key)


@contextmanager
def open_repo(path: Path, did: Did, key: PublicKey | None) -> Iterator[Repo]:
    """The repo in the CAR file `path`, which must be that of `did`, signed with `key`; raises InvalidRepo.

    `key` is None for a file whose signature was checked before, and which nobody could change since.

    Reading takes 16 to 32 bytes of memory per block, and one record's content at a time. Do not change the file
    meanwhile.
    """
    with path.open("rb") as file, read_repo(file, did, key) as repo:
        yield repo
