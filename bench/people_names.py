"""Invented accounts for the benchmark of people search: names of which some are common and most are rare."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse.limits import TASK

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 100_000
START: Final = 1_790_000_000_000_000
COMMON_FIRST: Final = """james mary john patricia robert jennifer michael linda david elizabeth william barbara richard
susan joseph jessica thomas sarah charles karen anna maria alice alex sam max emma olivia noah liam lucas mia luna kai
leo nina paul mark luke kate jane tom ben dan amy chris katie laura peter simon marie julia sofia pedro carlos"""
COMMON_LAST: Final = """smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez wilson
anderson thomas taylor moore jackson martin lee art music photo dev news cat cats dog the of and silva santos costa
山田太郎 東京 猫 さくら 김민준 محمد"""
_SYLLABLES: Final = """ba be bi bo bu ca ce co da de di do fa fe ga ge go ha he hi ho ja je jo ka ke ki la le li lo
ma me mi mo na ne ni no pa pe pi ra re ri ro sa se si so ta te ti to va ve vi wa we za ze
an el in on er ar th sh ch st br cr dr fr gr pl tr"""
#: The share of the n-th name falls with n + 50: the most common one has 0.6 % of the accounts.
_CHOICE: Final = (
    "toUInt32(least(toFloat64(length({list})) - 1, floor(50 * (pow(1 + length({list}) / 50, {chance}) - 1))))"
)
_CHANCE: Final = "cityHash64({seed}, number) / 18446744073709551616."
_WITH: Final = (
    "WITH (SELECT arrayMap(pair -> pair.2, arraySort(groupArray((number, name)))) FROM bench_names WHERE kind = 1)"
    " AS firsts, (SELECT arrayMap(pair -> pair.2, arraySort(groupArray((number, name)))) FROM bench_names"
    " WHERE kind = 2) AS lasts, concat('did:plc:', leftPad(lower(hex(cityHash64(number))), 24, 'a')) AS did, "
    + ", ".join(
        f"{names}[1 + {_CHOICE.format(list=names, chance=_CHANCE.format(seed=seed))}] AS {name}"
        for names, name, seed in (("firsts", "first", 1), ("lasts", "last", 2))
    )
)
_FROM: Final = "FROM numbers({first:UInt64}, {rows:UInt64})"
IDENTITIES: Final = f"""
INSERT INTO actor_identities {_WITH}
SELECT did, concat(first, if(number % 3 = 0, '-', ''),
    if(number % 2 = 0, toString(number % 9973), if(match(last, '^[a-z]+$'), last, 'x')), '.bsky.social'),
    1, {{start:UInt64}} + number
{_FROM}
"""
PROFILES: Final = f"""
INSERT INTO actor_profiles (did, display_name, description, avatar, labels, time_us, version) {_WITH}
SELECT did,
    multiIf(
        number % 5 = 0, '',
        number % 5 = 1, first,
        concat(first, ' ', last, if(number % 13 = 0, ' 🦋', ''))),
    '', if(number % 3 = 0, '', 'bafkreiavatar'), if(number % 40 = 0, ['!no-unauthenticated'], []),
    1, bitShiftLeft({{start:UInt64}} + number, 10)
{_FROM}
"""
ACCOUNTS: Final = f"""
INSERT INTO actor_accounts {_WITH}
SELECT did, number % 50 != 7, '', 1, {{start:UInt64}} + number {_FROM} WHERE number % 10 = 7
"""
COUNTS: Final = f"""
INSERT INTO actor_counts (did, followers, version) {_WITH}
SELECT did, toUInt64(floor(5 / pow(1 - {_CHANCE.format(seed=7)}, 0.8))), {{start:UInt64}} {_FROM}
"""
#: Each viewer follows 300 accounts and blocks 50; as many follow back, and a million blocks are of others.
FOLLOWS: Final = """
INSERT INTO follows (did, rkey, subject_did, version)
SELECT concat('did:plc:', leftPad(toString(number % {viewers:UInt32}), 24, 'v')) AS viewer,
    atsiteMicrosToTid({start:UInt64} + number),
    concat('did:plc:', leftPad(lower(hex(cityHash64(number * 7919 % {accounts:UInt64}))), 24, 'a')),
    bitShiftLeft({start:UInt64} + number, 10)
FROM numbers(300 * {viewers:UInt32})
"""
BLOCKS: Final = """
INSERT INTO blocks (did, rkey, subject_did, version)
SELECT concat('did:plc:', leftPad(lower(hex(cityHash64(number % {accounts:UInt64}))), 24, 'a')),
    atsiteMicrosToTid({start:UInt64} + number),
    concat('did:plc:', leftPad(lower(hex(cityHash64(number * 104729 % {accounts:UInt64}))), 24, 'a')),
    bitShiftLeft({start:UInt64} + number, 10)
FROM numbers(1000000)
"""
ALL: Final = f"""
{_WITH}
SELECT did, concat(first, if(number % 3 = 0, '-', ''),
    if(number % 2 = 0, toString(number % 9973), if(match(last, '^[a-z]+$'), last, 'x')), '.bsky.social'),
    if(number % 5 = 0, '', concat(first, ' ', last)), toUInt64(floor(5 / pow(1 - {_CHANCE.format(seed=7)}, 0.8)))
{_FROM}
"""


def insert_names() -> None:
    """The table of the names from which accounts are made."""
    from atsite.core.clickhouse import door  # it reads the addresses of the stores

    rng = random.Random(5)

    def invented() -> str:
        return "".join(rng.choice(_SYLLABLES.split()) for _ in range(rng.choice((2, 2, 3, 3, 4))))

    firsts = COMMON_FIRST.split() + [invented() for _ in range(6_000)]
    lasts = COMMON_LAST.split() + [invented() for _ in range(30_000)]
    door.execute(
        "CREATE TABLE bench_names (kind UInt8, number UInt32, name String) ENGINE = Memory", name="bench.names"
    )
    for kind, names in enumerate((firsts, lasts), 1):
        columns: dict[str, list[object]] = {
            "kind": [kind] * len(names),
            "number": list(range(len(names))),
            "name": list(names),
        }
        door.insert("bench_names", columns, name="bench.names")


def insert_accounts(first: int, rows: int) -> None:
    """Accounts `first` to `first` + `rows`, with all that is known of them."""
    from atsite.core.clickhouse import door  # it reads the addresses of the stores

    for statement in (IDENTITIES, PROFILES, ACCOUNTS, COUNTS):
        params = {"first": first, "rows": rows, "start": START}
        door.execute(statement, params, name="bench.accounts", limits=TASK)


def insert_relations(accounts: int, viewers: int) -> None:
    """Whom the viewers follow, and a million blocks."""
    from atsite.core.clickhouse import door  # it reads the addresses of the stores

    params = {"start": START, "accounts": accounts, "viewers": viewers}
    door.execute(FOLLOWS, params, name="bench.follows", limits=TASK)
    door.execute(BLOCKS, params, name="bench.blocks", limits=TASK)


def viewer(number: int) -> str:
    """The did of a viewer."""
    return f"did:plc:{number:v>24}"


def all_names(accounts: int) -> Iterator[list[tuple[str, str, str, int]]]:
    """Did, handle, name and followers of all, a block at a time."""
    from atsite.core.clickhouse import door  # it reads the addresses of the stores

    for first in range(0, accounts, BLOCK):
        with door._client("bench.names", None) as client:
            yield client.execute(ALL, {"first": first, "rows": min(BLOCK, accounts - first), "start": START})
