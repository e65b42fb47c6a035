"""Migration 0012 brings handles that are stored already to the rules of today, on databases of its own."""

from __future__ import annotations

import json

import pytest

from atsite.management import scratch_clickhouse

#: The state before, rows as the last release wrote them, the migration, and what is known then.
_SCRIPT = r"""
import json
from django.core.management import call_command
from atsite.core.clickhouse import door
from indexer.fill import queries
from indexer.index.handles import Name, dids_of_handles, names_of

HOUR, NOW = 3_600_000_000, 1_780_000_000_000_000

def told(did, handle, hours):
    at = NOW - hours * HOUR
    columns = {"did": [did], "handle": [handle], "time_us": [at], "version": [at]}
    door.insert("actor_identities", columns, name="tests.identities")

def filled(did, handle, hours):
    at = NOW - hours * HOUR
    columns = {
        "did": [did], "handle": [handle], "display_name": [""], "source": ["pds"],
        "due_us": [NOW + HOUR], "version": [at],
    }
    door.insert("actor_fills", columns, name="tests.fills")

call_command("schema", "up", verbosity=0)
call_command("schema", "down", "indexer", "0011_raw_merges", verbosity=0)
told("did:plc:erased", "older.test", 9)
told("did:plc:erased", "Erased.Test", 8)
told("did:plc:erased", "", 2)
told("did:plc:silent", "", 2)
told("did:plc:filled", "", 5)
filled("did:plc:filled", "filled.test", 4)
told("did:plc:mixed", "Mixed.Test", 3)
told("did:plc:nobody", "Handle.Invalid", 3)
door.execute("OPTIMIZE TABLE actor_identities FINAL", name="tests.optimize")
found = {}
for turn in ("once", "twice"):
    call_command("schema", "up", verbosity=0)
    dids = ["did:plc:" + name for name in ("erased", "silent", "filled", "mixed", "nobody")]
    names = names_of(dids)
    found[turn] = {
        "handles": {did: names.get(did, Name(did)).handle for did in dids},
        "unverified": [did for did in dids if names.get(did, Name(did)).unverified],
        "owners": dids_of_handles(["erased.test", "older.test", "filled.test", "mixed.test", "handle.invalid"]),
        "changes": queries.changes_of(dids),
        "fresh": sorted(queries.fresh(dids, now=NOW)),
        "empty": door.scalar("SELECT count() FROM actor_identities WHERE handle = ''", name="tests.empty"),
        "mixed": door.scalar("SELECT count() FROM actor_identities WHERE handle != lower(handle)", name="tests.mixed"),
        "named": sorted(door.column("SELECT DISTINCT handle FROM actor_handles", name="tests.named")),
    }
    if turn == "once":
        call_command("schema", "down", "indexer", "0011_raw_merges", verbosity=0)
print(json.dumps(found))
"""


@pytest.mark.slow
def test_what_was_erased_comes_back_and_is_asked_for_again() -> None:
    with scratch_clickhouse.scratch_databases() as environment:
        printed = scratch_clickhouse.manage(
            "shell", "--verbosity", "0", "-c", _SCRIPT, environment=environment, capture=True
        )
    found = json.loads(printed)
    expected = {
        "handles": {
            "did:plc:erased": "erased.test",
            "did:plc:silent": "",
            "did:plc:filled": "filled.test",
            "did:plc:mixed": "mixed.test",
            "did:plc:nobody": "",
        },
        "unverified": ["did:plc:nobody"],
        "owners": {
            "erased.test": "did:plc:erased",
            "filled.test": "did:plc:filled",
            "mixed.test": "did:plc:mixed",
        },
        "changes": {
            f"did:plc:{name}": 1_780_000_000_000_000 - hours * 3_600_000_000
            for name, hours in (("erased", 2), ("silent", 2), ("filled", 5))
        },
        "fresh": ["did:plc:filled"],
        "empty": 0,
        "mixed": 0,
        "named": ["erased.test", "filled.test", "mixed.test", "older.test"],
    }
    assert found["once"] == expected
    assert found["twice"] == expected | {"changes": {}}, "the way back forgets what was asked for, and nothing else"
