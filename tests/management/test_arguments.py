"""What each command reads from its command line: every option with its name, its type and its default."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.management import BaseCommand, CommandError, get_commands, load_command_class

PACKAGES = ("atsite", "indexer", "feeds", "search", "labels", "apikeys")
OWN = {name: str(app) for name, app in get_commands().items() if str(app).split(".")[0] in PACKAGES}
OF_DJANGO = set(vars(BaseCommand().create_parser("manage.py", "any").parse_args([])))

UP = {"free_ports": False, "once": False, "run_for": None}
BEGIN = {"from_cursor": None, "from_live": False}
INDEXER = {**BEGIN, "dry_run": False, "max_events": None, "run_for": None}
SIMULATOR = {
    "host": "127.0.0.1", "port": 6008, "dictionary": None, "file": None, "speed": math.inf, "shift_to_now": False,
    "state": None, "seed": None, "epoch": None, "actors": None, "rate": None, "sparse": False, "malformed": 0,
    "lookback_hours": 72,
}  # fmt: skip
KEY = {"scope": ["members"], "feed": [], "note": "", "user": "", "rate": 600, "days": None}
DEAD = {"dry_run": False, "ids": [], "reason": ""}
TOKEN = {"handle": "a.test", "feed": "whats-hot", "method": "app.bsky.feed.getFeedSkeleton"}
SERVICE = {"host": "127.0.0.1", "workers": 1}

READ: dict[str, dict[str, Any]] = {
    "up": UP | BEGIN | {"listen_publicly": False},
    "up --free-ports --once --run-for 2.5 --listen-publicly --from 1779719000000000": {
        "free_ports": True,
        "once": True,
        "run_for": 2.5,
        "listen_publicly": True,
        "from_cursor": 1_779_719_000_000_000,
        "from_live": False,
    },
    "demo": UP | {"sparse": False},
    "demo --sparse": UP | {"sparse": True},
    "demo_community": {},
    "reset": {"yes": False},
    "reset --yes": {"yes": True},
    "viewer_token a.test": TOKEN,
    "viewer_token a.test --feed x --method y.z": TOKEN | {"feed": "x", "method": "y.z"},
    "schema up": {"action": "up", "database": None},
    "schema up --database clickhouse": {"action": "up", "database": "clickhouse"},
    "schema down labels": {"action": "down", "app": "labels", "migration": None},
    "schema down labels zero": {"action": "down", "app": "labels", "migration": "zero"},
    "schema create x": {"action": "create", "name": "x", "app": "indexer"},
    "schema create x --app search": {"action": "create", "name": "x", "app": "search"},
    "schema dump": {"action": "dump", "check": False},
    "schema dump --check": {"action": "dump", "check": True},
    "schema version": {"action": "version"},
    "schema show": {"action": "show"},
    "publish": {"check": False},
    "publish --check": {"check": True},
    "run_indexer": INDEXER,
    "run_indexer --from-live --max-events 3 --run-for 2.5 --dry-run": INDEXER
    | {"from_live": True, "max_events": 3, "run_for": 2.5, "dry_run": True},
    "retry_dead_letters": DEAD,
    "retry_dead_letters a b --dry-run --reason bad_did": DEAD
    | {"ids": ["a", "b"], "dry_run": True, "reason": "bad_did"},
    "check_index": {"repair": False},
    "check_index --repair": {"repair": True},
    "simulate_jetstream": SIMULATOR,
    "simulate_jetstream --host ::1 --port 0 --dictionary d --file f --speed 10 --shift-to-now": SIMULATOR
    | {"host": "::1", "port": 0, "dictionary": Path("d"), "file": Path("f"), "speed": 10.0, "shift_to_now": True},
    "simulate_jetstream --state s --seed 1 --epoch 2 --actors 3 --rate 4 --sparse --malformed 5 --lookback-hours 6": {
        **SIMULATOR,
        "state": Path("s"),
        "seed": 1,
        "epoch": 2,
        "actors": 3,
        "rate": 4,
        "sparse": True,
        "malformed": 5,
        "lookback_hours": 6,
    },
    "backfill --did did:plc:x": {"did": "did:plc:x", "days": 30, "resume": False},
    "backfill --did did:plc:x --days 3 --resume": {"did": "did:plc:x", "days": 3, "resume": True},
    "publish_feed r": {"rkey": "r"},
    "unpublish_feed r": {"rkey": "r"},
    "check_feed r": {"rkey": "r"},
    "remove_interactions did:plc:x": {"did": "did:plc:x", "secret_key_file": None},
    "remove_interactions did:plc:x --secret-key-file f": {"did": "did:plc:x", "secret_key_file": Path("f")},
    "create_api_key --scope members": KEY,
    "create_api_key --scope members --feed a --feed b --note c --user d --rate 7 --days 8": KEY
    | {"feed": ["a", "b"], "note": "c", "user": "d", "rate": 7, "days": 8},
    "run_admin": SERVICE | {"port": 8090},
    "run_search": SERVICE | {"port": 8092},
    "run_feedgen": SERVICE | {"port": 8094},
    "run_feedgen --host ::1 --port 5 --workers 2": SERVICE | {"host": "::1", "port": 5, "workers": 2},
}
REFUSED = (
    "up --from 1779719000000000 --from-live",
    "schema",
    "schema up --database other",
    "schema down auth",
    "schema create x --app auth",
    "simulate_jetstream --port 65536",
    "backfill",
    "backfill --did did:plc:x --days x",
    "create_api_key",
    "create_api_key --scope everything",
    "viewer_token",
    "retry_dead_letters --reason none",
    "run_search --port x",
)


def read(line: str) -> dict[str, Any]:
    name, *arguments = shlex.split(line)
    parser = load_command_class(OWN[name], name).create_parser("manage.py", name)
    return {key: value for key, value in vars(parser.parse_args(arguments)).items() if key not in OF_DJANGO}


@pytest.mark.parametrize("line", READ)
def test_a_command_reads_its_options(line: str) -> None:
    assert read(line) == READ[line]


def test_no_command_is_left_out() -> None:
    assert {line.split()[0] for line in READ} == set(OWN)


@pytest.mark.parametrize("line", REFUSED)
def test_a_command_refuses_what_it_cannot_use(line: str) -> None:
    with pytest.raises((CommandError, SystemExit)):
        read(line)
