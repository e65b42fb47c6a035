# `just --list` shows the recipes; `./just RECIPE` makes the environment first.
set positional-arguments
python := justfile_directory() / ".venv/bin/python"
manage := python + " manage.py"

[private]
default:
    @just --list --unsorted
