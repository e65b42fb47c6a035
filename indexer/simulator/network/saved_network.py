"""Saves the parameters of a simulated network, so that the next start continues it: DIR/network.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from atsite.core.embedded import files
from indexer.simulator.errors import SimulatorError
from indexer.simulator.network.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE: Final = "network.json"
# Raise it when you change what a number's event is: a network begun before cannot be continued after.
GENERATOR: Final = 1
FIELDS: Final = ("seed", "epoch_us", "actors", "rate", "preroll_events", "preroll_hours")


def load_or_create(folder: Path, asked: Mapping[str, int], *, seed: int, now: int) -> Timeline:
    """The network saved in `folder`, or a new one with its epoch at `now`, which is then saved.

    `asked` are the parameters of the caller. Raises SimulatorError if they contradict the saved ones, if the file is
    unreadable, or if another version of the generator wrote it.
    """
    path = folder / FILE
    if not path.exists():
        timeline = make({"seed": seed, "epoch_us": now} | dict(asked))
        _write(path, timeline)
        return timeline
    kept = _read(path)
    for name, value in asked.items():
        if kept[name] != value:
            raise SimulatorError(
                f"{path} holds a network with {name} {kept[name]}, not {value}: leave it out, or delete"
            )
    return make(kept)


def load(folder: Path) -> Timeline:
    """The network saved in `folder`. Raises SimulatorError if there is none or it is unreadable."""
    path = folder / FILE
    if not path.exists():
        raise SimulatorError(f"there is no demo network in {folder} yet: run `./just demo` first")
    return make(_read(path))


def make(parameters: Mapping[str, int]) -> Timeline:
    """A timeline with these parameters; raises SimulatorError if they are invalid."""
    try:
        return Timeline(**parameters)
    except ValueError as error:
        raise SimulatorError(str(error)) from error


def _read(path: Path) -> dict[str, int]:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        if content["generator"] != GENERATOR:
            raise SimulatorError(f"{path} was begun by another version of the simulator: delete it to start over")
        return {name: int(content[name]) for name in FIELDS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SimulatorError(f"{path} is not readable as a network ({error!r}): delete it to start over") from error


def _write(path: Path, timeline: Timeline) -> None:
    files.make_private_directory(path.parent)
    content = {"generator": GENERATOR} | {name: getattr(timeline, name) for name in FIELDS}
    files.write_private(path, json.dumps(content, indent=2) + "\n")
