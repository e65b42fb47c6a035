# `just --list` shows the recipes; `./just RECIPE` makes the environment first.
set positional-arguments
python := justfile_directory() / ".venv/bin/python"
manage := python + " manage.py"

[private]
default:
    @just --list --unsorted

# everything on a simulated network, on this machine alone: no internet, no servers
demo *options:
    {{ manage }} demo "$@"

# everything on the real network
up *options:
    {{ manage }} up "$@"

# delete what demo and up stored (asks first; --yes does not)
reset *options:
    {{ manage }} reset "$@"

# lint, format, types, layers, migrations, templates
check:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy .
    .venv/bin/lint-imports
    ATSITE_ENVIRONMENT=test {{ manage }} makemigrations --check --dry-run
    .venv/bin/djlint --quiet --check --lint templates

quick := "not slow and not chromium and not devnet and not shared_data"
# Several processes, each with stores of its own; one where the environment names stores, for there is but one of them.
side_by_side := if env("CLICKHOUSE_ADDRESS", env("REDIS_ADDRESS", "")) == "" { "-n logical --maxprocesses 4 --dist loadfile" } else { "" }

# the tests that need nothing but this machine, in a few minutes
test *options:
    {{ python }} -m pytest {{ side_by_side }} -m "{{ quick }}" "$@"

# the tests against the official servers on loopback (CONTRIBUTING.md)
test-devnet *options:
    {{ python }} -m pytest -m devnet "$@"

# every test: the quick ones side by side, then those that want the machine for themselves
test-all *options:
    run() { {{ python }} -m pytest "$@" || [ $? = 5 ]; }; \
    run {{ side_by_side }} -m "{{ quick }}" "$@"; first=$?; \
    run -m "not ({{ quick }})" "$@" && exit $first

# measure: bench indexer, bench feeds, bench admin
bench name *options:
    shift; {{ python }} -m bench.{{ name }} "$@"

# apply what is missing on both databases (starts the embedded stores where no server is named)
migrate-up:
    {{ manage }} schema up

# undo the last migration of an app, or go back to one: migrate-down indexer [0004_views|zero]
migrate-down *options:
    {{ manage }} schema down "$@"

# the last applied migration of each app, and what is missing
migrate-version:
    {{ manage }} schema version

# begin a migration of ClickHouse (of the indexer; --app names another)
migrate-create name *options:
    {{ manage }} schema create "$@"

# write docs/schema.sql from the migrations
migrate-dump-schema:
    {{ manage }} schema dump

# write requirements.lock anew from pyproject.toml
lock:
    uv=$(command -v uv || echo .venv-tools/bin/uv); "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --group dev --python-version 3.11 pyproject.toml -o requirements.lock
