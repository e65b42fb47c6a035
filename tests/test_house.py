"""Rules of the house that no linter knows: sizes, documents whose links lead somewhere, names that must not leak."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from pathlib import Path

#: A module longer than this does two things.
MODULE_LINES = 300
README_LINES = 120


@lru_cache(maxsize=1)
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=BASE_DIR, capture_output=True, check=True).stdout.decode()
    return tuple(BASE_DIR / name for name in names.split("\0") if name and (BASE_DIR / name).is_file())


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    left_out = {"migrations", "tests"}
    modules = [path for path in tracked() if path.suffix == ".py" and left_out.isdisjoint(path.parts)]
    lengths = {str(path.relative_to(BASE_DIR)): len(path.read_text("utf-8").splitlines()) for path in modules}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len((BASE_DIR / "README.md").read_text("utf-8").splitlines()) < README_LINES


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(BASE_DIR)}: {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_files_that_the_documents_name_exist() -> None:
    """`indexer/stream/decode.py`-like names in running text, in the project's own documents."""
    named = re.compile(r"`((?:atsite|indexer|feeds|search|labels|apikeys|tests|docs|bench)/[\w./]+\.(?:py|sql|md))`")
    missing = [
        f"{path.relative_to(BASE_DIR)}: {name}"
        for path in tracked()
        if path.suffix == ".md"
        for name in named.findall(path.read_text("utf-8"))
        if not (BASE_DIR / name).exists()
    ]
    assert missing == []


def test_every_command_of_the_documents_exists() -> None:
    """`./just NAME` in a document is a recipe of the justfile."""
    recipes = set(re.findall(r"^([a-z][\w-]*)[^:=\n]*:(?!=)", (BASE_DIR / "justfile").read_text("utf-8"), re.MULTILINE))
    asked = {
        name
        for path in tracked()
        if path.suffix == ".md"
        for name in re.findall(r"\./just ([a-z][\w-]*)", path.read_text("utf-8"))
    }
    assert asked - recipes == set()
