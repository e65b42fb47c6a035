"""Rules of the house that no linter knows: sizes, documents whose links lead somewhere, names that must not leak."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from pathlib import Path

#: A module longer than this does two things.
MODULE_LINES = 300
README_LINES = 120
#: A folder with more modules than this holds two things.
FOLDER_MODULES = 22
ROOTS = ("atsite", "indexer", "feeds", "search", "labels", "apikeys")


@lru_cache(maxsize=1)
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=BASE_DIR, capture_output=True, check=True).stdout.decode()
    return tuple(BASE_DIR / name for name in names.split("\0") if name and (BASE_DIR / name).is_file())


@lru_cache(maxsize=1)
def modules() -> dict[str, Path]:
    """Every module of the product, by its dotted name; a package is the name of its folder."""
    found = {}
    for path in tracked():
        parts = path.relative_to(BASE_DIR).with_suffix("").parts
        if path.suffix == ".py" and parts[0] in ROOTS:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def contracts(kind: str) -> list[dict[str, Any]]:
    """The import contracts of one type, as `pyproject.toml` has them."""
    config = tomllib.loads((BASE_DIR / "pyproject.toml").read_text("utf-8"))
    return [contract for contract in config["tool"]["importlinter"]["contracts"] if contract["type"] == kind]


def is_below(module: str, ancestors: set[str]) -> bool:
    return any(module == ancestor or module.startswith(f"{ancestor}.") for ancestor in ancestors)


def test_every_module_stands_in_a_layer() -> None:
    """The first contract of layers is the whole house; the others order one app each, and leave no module out."""
    floors, *apps = contracts("layers")
    named = {name for layer in floors["layers"] for name in re.split(r"\s*[|:]\s*", layer)}
    assert [name for name in modules() if not is_below(name, named) and name != "atsite"] == []
    assert {container for app in apps for container in app["containers"]} >= {*ROOTS, "atsite.core"}
    assert all(app["exhaustive"] for app in apps)


def test_no_folder_holds_more_modules_than_a_reader_can_overlook() -> None:
    folders = Counter(
        str(path.parent.relative_to(BASE_DIR))
        for path in modules().values()
        if path.name != "__init__.py" and "migrations" not in path.parts
    )
    assert folders
    assert {folder: count for folder, count in folders.items() if count > FOLDER_MODULES} == {}


def test_a_module_that_says_it_is_pure_is_held_to_it() -> None:
    """The last word of its first paragraph, or the contract: both, or neither."""
    (contract,) = contracts("forbidden")
    held = set(contract["source_modules"])
    docs = {name: ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for name, path in modules().items()}
    claimed = {name for name, text in docs.items() if re.search(r"\bpure\b", text.split("\n\n")[0], re.IGNORECASE)}
    assert claimed - {name for name in claimed if is_below(name, held)} == set()
    assert {name for name in held if not any(is_below(module, {name}) for module in claimed)} == set()


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


def test_every_test_that_the_documents_name_exists() -> None:
    """`tests/….py::test_name`, as in the table of docs/security.md; each row of that names one."""
    named = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
    missing = [
        f"{path.relative_to(BASE_DIR)}: {file}::{test}"
        for path in tracked()
        if path.suffix == ".md"
        for file, test in named.findall(path.read_text("utf-8"))
        if f"def {test}(" not in (BASE_DIR / file).read_text("utf-8")
    ]
    assert missing == []
    rows = [line for line in (BASE_DIR / "docs/security.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in rows[1:] if not named.search(row)] == []


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
