from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsite.core.repo import OLD_OR_GONE, InvalidRepo, open_repo
from atsite.core.repo.cid import cid_of, format_cid
from tests.core.repo.repo_files import DID, PUBLIC, car, entry, layer_of, put, put_commit, put_repo
from tests.core.repo.stored_repo import StoredRepo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

RECORD = cid_of(b"\xa0")
#: Keys by their layer, ascending in each.
LAYERS: dict[int, list[str]] = {layer: [] for layer in range(6)}
for number in range(4000):
    LAYERS.setdefault(layer_of(b"com.example.a/%04d" % number), []).append(f"com.example.a/{number:04}")
NAMES = sorted(LAYERS[0][:25] + LAYERS[1][:10] + LAYERS[2][:6] + LAYERS[3][:3] + LAYERS[4][:1])
ABSENT = [LAYERS[0][30], LAYERS[1][15], LAYERS[2][9], LAYERS[5][0], "app.bsky.feed.post/a", "zz.example.a/1"]


def find(folder: Path, data: bytes, names: Iterable[str]) -> dict[str, object]:
    file = folder / "repo.car"
    file.write_bytes(data)
    with open_repo(file, DID, PUBLIC) as repo:
        return dict(repo.find(names))


def problem(folder: Path, data: bytes, names: Iterable[str]) -> str:
    with pytest.raises(InvalidRepo) as error:
        find(folder, data, names)
    return str(error.value)


def cid(value: Any) -> str:
    return format_cid(put({}, value))


_CHANGES = st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(0, 3).map(lambda number: {"n": number}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250, deadline=None)
@given(
    first=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3).map(lambda number: {"n": number})),
    then=st.lists(_CHANGES, min_size=1, max_size=4),
)
def test_a_file_of_changes_never_tells_what_is_not_so(
    first: dict[str, Any], then: list[dict[str, Any]], tmp_path: Path
) -> None:
    repo = StoredRepo()
    since = repo.commit(first)
    base = dict(repo.records)
    for changes in then:
        repo.commit(changes)
    found = find(tmp_path, repo.file(since), [*NAMES, *ABSENT])
    for name in [*NAMES, *ABSENT]:
        now, told = repo.records.get(name), found[name]
        if told is OLD_OR_GONE:
            assert now is None or now == base[name], name
        else:
            assert told == (None if now is None else cid(now)), name
    whole = find(tmp_path, repo.file(), [*NAMES, *ABSENT])
    assert whole == {name: cid(repo.records[name]) if name in repo.records else None for name in [*NAMES, *ABSENT]}


def test_what_was_written_since_is_always_found(tmp_path: Path) -> None:
    repo = StoredRepo()
    since = repo.commit({key: {} for key in NAMES[::2]})
    repo.commit({NAMES[4]: {"n": 1}, NAMES[5]: {"n": 2}})
    found = find(tmp_path, repo.file(since), NAMES)
    assert (found[NAMES[4]], found[NAMES[5]]) == (cid({"n": 1}), cid({"n": 2}))
    assert OLD_OR_GONE in found.values()  # and most of the tree is not in the file


def test_a_record_that_went_with_its_neighbour_may_not_be_told_from_an_old_one(tmp_path: Path) -> None:
    """What OLD_OR_GONE warns of: the subtree on the left of B is now that on the left of C."""
    right = next(name for name in LAYERS[2] if name > LAYERS[1][3])
    left, middle = (next(name for name in LAYERS[1][at:] if name < right) for at in (1, 2))
    x = next(name for name in LAYERS[0] if left < name < middle)
    y = next(name for name in LAYERS[0] if middle < name < right)
    repo = StoredRepo()
    since = repo.commit({key: {} for key in [left, x, middle, y, right]})
    repo.commit({middle: None, y: None})
    assert find(tmp_path, repo.file(since), [x, middle, y]) == {x: OLD_OR_GONE, middle: None, y: OLD_OR_GONE}
    assert find(tmp_path, repo.file(), [x, middle, y]) == {x: cid({}), middle: None, y: None}


def test_where_nothing_is_new_the_file_is_no_repo(tmp_path: Path) -> None:
    repo = StoredRepo()
    assert "is missing" in problem(tmp_path, repo.file(repo.commit({NAMES[0]: {}})), NAMES)


def test_a_commit_alone_leaves_all_as_it_was(tmp_path: Path) -> None:
    repo = StoredRepo()
    since = repo.commit({NAMES[0]: {}})
    repo.commit({})
    assert find(tmp_path, repo.file(since), NAMES[:2]) == {NAMES[0]: OLD_OR_GONE, NAMES[1]: OLD_OR_GONE}


def test_a_repo_without_records_has_none_of_them(tmp_path: Path) -> None:
    repo = StoredRepo()
    assert find(tmp_path, repo.file(), NAMES[:2]) == {NAMES[0]: None, NAMES[1]: None}
    since = repo.commit({NAMES[0]: {}})
    repo.commit({NAMES[0]: None})
    assert find(tmp_path, repo.file(since), NAMES[:2]) == {NAMES[0]: None, NAMES[1]: None}


def lacking() -> Iterator[tuple[bytes, bool]]:
    """Files of changes from which one block is missing; whether the file must be refused."""
    repo = StoredRepo()
    since = repo.commit({key: {} for key in NAMES})
    repo.commit({LAYERS[0][0]: {"n": 1}})
    new = {cid: content for cid, (content, number) in repo.blocks.items() if number > since}
    for left_out in new:
        if left_out != repo.root:
            yield (
                car(repo.root, {cid: content for cid, content in new.items() if cid != left_out}),
                (left_out != put({}, {"n": 1})),
            )


def test_a_new_node_that_is_missing_shows_by_what_hangs_on_it(tmp_path: Path) -> None:
    """Else an edited record would be taken for the one that was planned."""
    files = list(lacking())
    assert len(files) > 3
    for data, is_refused in files:
        if is_refused:
            assert "of its blocks belong to missing nodes" in problem(tmp_path, data, NAMES)
        else:
            assert find(tmp_path, data, LAYERS[0][:1]) == {LAYERS[0][0]: cid({"n": 1})}


def of_layer(layer: int, *, above: str = "", below: str = "~") -> bytes:
    return next(name.encode() for name in LAYERS[layer] if above < name < below)


def wrong_trees() -> Iterator[tuple[str, dict[bytes, bytes], bytes]]:
    low, middle, high = of_layer(0), of_layer(1), of_layer(2)
    top = of_layer(1, above=middle.decode())
    blocks: dict[bytes, bytes] = {RECORD: b"\xa0"}

    def node(*keys: bytes, before: bytes | None = None, after: bytes | None = None) -> bytes:
        entries, last = [], b""
        for key in keys:
            shared = next((at for at in range(len(last)) if last[at] != key[at]), len(last))
            entries.append(entry(key[shared:], RECORD, shared=shared, after=after if key == keys[-1] else None))
            last = key
        return put(blocks, {"l": before, "e": entries})

    ascending = sorted([low, middle])
    yield "wrong layer", blocks, node(*ascending)
    yield "wrong layer", blocks, node(top, before=node(of_layer(1, below=top.decode())))
    skipped = of_layer(0, below=high.decode())
    yield "wrong layer", blocks, node(high, before=node(skipped))
    yield "below the lowest", blocks, node(of_layer(0, above=low.decode()), before=node(low))
    outside = of_layer(0, above=top.decode())
    yield "do not ascend", blocks, node(top, before=node(outside))
    yield "do not ascend", blocks, node(top, after=node(of_layer(0, below=top.decode())))


def test_a_tree_in_which_a_search_could_go_astray_is_refused(tmp_path: Path) -> None:
    trees = list(wrong_trees())
    for told, blocks, root in trees:
        data = car(put_commit(blocks, root), blocks)
        assert told in problem(tmp_path, data, [name for names in LAYERS.values() for name in names])


def test_nodes_without_entries_lead_on(tmp_path: Path) -> None:
    """Between layers they must be; above the first key no server writes one, and it hides nothing."""
    low = of_layer(0).decode()
    blocks: dict[bytes, bytes] = {RECORD: b"\xa0"}
    high = of_layer(3, above=low)
    deep = put(blocks, {"l": None, "e": [entry(low.encode(), RECORD)]})
    for _ in range(2):
        deep = put(blocks, {"l": deep, "e": []})
    root = put(blocks, {"l": put(blocks, {"l": deep, "e": [entry(high, RECORD)]}), "e": []})
    found = find(tmp_path, car(put_commit(blocks, root), blocks), [low, high.decode(), LAYERS[5][0], LAYERS[1][0]])
    record = format_cid(RECORD)
    assert found == {low: record, high.decode(): record, LAYERS[5][0]: None, LAYERS[1][0]: None}


def test_the_commit_has_its_cid(tmp_path: Path) -> None:
    blocks: dict[bytes, bytes] = {}
    root = put_repo(blocks, [])
    file = tmp_path / "repo.car"
    file.write_bytes(car(root, blocks))
    with open_repo(file, DID, PUBLIC) as repo:
        assert repo.cid == format_cid(root)
