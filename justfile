# `just --list` shows the recipes; `./just RECIPE` makes the environment first.
set positional-arguments
python := justfile_directory() / ".venv/bin/python"
manage := python + " manage.py"

[private]
default:
    @just --list --unsorted

# write requirements.lock anew from pyproject.toml
lock:
    uv=$(command -v uv || echo .venv-tools/bin/uv); "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --group dev --python-version 3.11 pyproject.toml -o requirements.lock
