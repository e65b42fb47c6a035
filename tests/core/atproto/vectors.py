"""Reads the files of the interoperability vectors: one value a line, comments and blank lines between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_vectors(shared_data: Path, name: str) -> list[str]:
    """The values of interop/syntax/NAME.txt, with their spaces: a trailing one is what some lines test."""
    lines = (shared_data / "interop" / "syntax" / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    values = [line for line in lines if line and not line.startswith("#")]
    assert values, name
    return values
