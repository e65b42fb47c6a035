# `just --list` shows the recipes; `./just RECIPE` creates the environment first.
set positional-arguments
python := justfile_directory() / ".venv/bin/python"
manage := python + " manage.py"

[private]
default:
    @"{{ just_executable() }}" --justfile "{{ justfile() }}" --list --unsorted

# run the whole site on a simulated network, only on this machine: no internet, no servers
demo *options:
    {{ manage }} demo "$@"

# run the whole site on the real network
up *options:
    {{ manage }} up "$@"

# delete all data of demo and up (asks first, unless --yes)
reset *options:
    {{ manage }} reset "$@"

# check lint, format, types, layers, migrations and templates
check:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy .
    .venv/bin/lint-imports
    ATSITE_ENVIRONMENT=test {{ manage }} makemigrations --check --dry-run
    .venv/bin/djlint --quiet --check --lint templates

quick := "not slow and not chromium and not devnet and not shared_data"
# Several processes, each with its own stores; only one process if the environment names stores, which all would share.
side_by_side := if env("CLICKHOUSE_ADDRESS", env("REDIS_ADDRESS", "")) == "" { "-n auto --maxprocesses 4 --dist loadfile" } else { "" }

# run the tests that need only this machine, in a few minutes
test *options:
    {{ python }} -m pytest {{ side_by_side }} -m "{{ quick }}" "$@"

# run the tests against the official servers on loopback (CONTRIBUTING.md)
test-devnet *options:
    {{ python }} -m pytest -m devnet "$@"

# run every test: the quick ones in parallel, then those that need the machine for themselves
test-all *options:
    run() { {{ python }} -m pytest "$@" || [ $? = 5 ]; }; \
    run {{ side_by_side }} -m "{{ quick }}" "$@"; first=$?; \
    run -m "not ({{ quick }})" "$@" && exit $first

# run a benchmark: bench indexer, feeds, search, people, attacks, admin, repo, cleanup, stats or profile
bench name *options:
    shift; {{ python }} -m bench.{{ name }} "$@"

# apply all missing migrations to both databases (starts the embedded stores if no server is configured)
migrate-up:
    {{ manage }} schema up

# undo the last migration of an app, or go back to one: migrate-down indexer [0004_views|zero]
migrate-down *options:
    {{ manage }} schema down "$@"

# list the last applied migration of each app, and those that are missing
migrate-version:
    {{ manage }} schema version

# create a ClickHouse migration (in the indexer; --app names another app)
migrate-create name *options:
    {{ manage }} schema create "$@"

# write docs/schema.sql from the migrations
migrate-dump-schema:
    {{ manage }} schema dump

# rebuild requirements.lock from pyproject.toml
lock:
    uv=$(command -v uv || echo .venv-tools/bin/uv); "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --group dev --python-version 3.11 pyproject.toml -o requirements.lock
