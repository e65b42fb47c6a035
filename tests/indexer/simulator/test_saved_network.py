from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from indexer.simulator.errors import SimulatorError
from indexer.simulator.network.saved_network import load_or_create
from indexer.simulator.network.timeline import Timeline

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_790_000_000_000_000


def test_a_second_start_finds_the_network_of_the_first(tmp_path: Path) -> None:
    first = load_or_create(tmp_path / "demo", {"actors": 100}, seed=5, now=NOW)
    assert first == Timeline(5, NOW, actors=100)
    assert load_or_create(tmp_path / "demo", {}, seed=6, now=NOW + 1) == first
    assert load_or_create(tmp_path / "demo", {"actors": 100, "epoch_us": NOW}, seed=6, now=NOW + 1) == first


def test_parameters_that_contradict_the_kept_ones_are_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path, {}, seed=5, now=NOW)
    with pytest.raises(SimulatorError, match="holds a network with seed 5, not 6"):
        load_or_create(tmp_path, {"seed": 6}, seed=5, now=NOW)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"generator":1,"seed":"x"}'])
def test_an_unreadable_file_is_an_error_with_a_way_out(content: str, tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(content)
    with pytest.raises(SimulatorError, match="delete it to start over"):
        load_or_create(tmp_path, {}, seed=5, now=NOW)


def test_a_network_of_another_generator_is_not_continued(tmp_path: Path) -> None:
    load_or_create(tmp_path, {}, seed=5, now=NOW)
    path = tmp_path / "network.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"generator": 0}))
    with pytest.raises(SimulatorError, match="another version"):
        load_or_create(tmp_path, {}, seed=5, now=NOW)


@pytest.mark.parametrize("asked", [{"actors": 3}, {"rate": 0}, {"rate": 10_000_000}])
def test_parameters_that_make_no_network_are_refused(asked: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(SimulatorError):
        load_or_create(tmp_path, asked, seed=5, now=NOW)
