"""The tools against the official servers: exports and lists are what the PDS has."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.devnet.owner import Owner
from tests.search.service import Service, running
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.devnet.network import Network

pytestmark = [
    pytest.mark.devnet,
    pytest.mark.slow,
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

POST, LIST, ITEM = "app.bsky.feed.post", "app.bsky.graph.list", "app.bsky.graph.listitem"
NOW: Final = "2026-01-01T00:00:00.000Z"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_numbers: Final = count(1)


@pytest.fixture(scope="module")
def service(network: Network, django_db_setup: None) -> Iterator[Service]:
    yield from running(
        PLC_URL=network.plc_url, HANDLE_RESOLVER_URL=network.pds_url, TOOLS_ANONYMOUS="1", TOOLS_PER_MINUTE="1000"
    )


@pytest.fixture
def owner(network: Network) -> Owner:
    """Someone new."""
    return Owner(network, f"tools{next(_numbers)}")


def exported(service: Service, name: str) -> list[dict[str, Any]]:
    response = service.get(f"/repo/{name}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/jsonl"), response.text
    return [json.loads(line) for line in response.text.splitlines()]


def listed(owner: Owner) -> Iterator[dict[str, Any]]:
    """Every record, as the PDS lists it."""
    methods = "/xrpc/com.atproto.repo."
    of: dict[str, str] = {"repo": owner.did}
    for collection in owner.network.pds.get(f"{methods}describeRepo", params=of).json()["collections"]:
        cursor: dict[str, str] = {}
        for _ in steps():
            asked = {**of, "collection": collection, "limit": "100", **cursor}
            page = owner.network.pds.get(f"{methods}listRecords", params=asked).json()
            yield from page["records"]
            if "cursor" not in page:
                break
            cursor = {"cursor": page["cursor"]}


def rkey(number: int) -> str:
    return f"3k{LETTERS[number // 26 % 26]}{LETTERS[number % 26]}aaaaaaa2a"


def test_an_export_has_every_record_that_the_pds_lists(service: Service, owner: Owner) -> None:
    odd = {"text": '☕ \u2028 \x01 "', "createdAt": NOW, "numbers": [0, -5, 1 << 40], "nothing": None, "yes": True}
    owner.create(
        {
            **{f"{POST}/{rkey(number)}": {"text": f"Number {number}", "createdAt": NOW} for number in range(430)},
            f"{POST}/{rkey(500)}": odd,
            f"{POST}/{rkey(501)}": {"text": "x", "createdAt": NOW, "raw": {"$bytes": "AAEC"}},
        }
    )
    found = exported(service, owner.did)
    records = sorted(listed(owner), key=lambda record: str(record["uri"]))
    assert len(records) >= 432
    assert found[:-1] == records
    assert (found[-1]["end"], found[-1]["records"]) == (True, len(records))
    assert exported(service, owner.account.handle) == found
    owner.delete(f"{POST}/{rkey(0)}")
    assert exported(service, owner.did)[-1]["records"] == len(records) - 1


def test_an_account_that_is_not_active_has_no_export(service: Service, owner: Owner) -> None:
    for away, name, back in (
        ("deactivate", "RepoDeactivated", "activate"), ("takedown", "RepoTakendown", "untakedown"),
    ):  # fmt: skip
        owner.event(away)
        assert service.refused(f"/repo/{owner.did}")[:2] == (404, name)
        owner.event(back)
        assert exported(service, owner.did)[-1]["end"]
    assert service.refused("/repo/did:plc:zzzzzzzzzzzzzzzzzzzzzzzz")[:2] == (404, "AccountNotFound")


def test_a_list_has_the_members_that_the_pds_lists(service: Service, owner: Owner) -> None:
    uri = owner.uri(f"{LIST}/{rkey(0)}")
    dids = [f"did:plc:{'a' * 20}{LETTERS[number // 26]}{LETTERS[number % 26]}aa" for number in range(250)]
    named = {"name": "The choir", "purpose": "app.bsky.graph.defs#curatelist", "createdAt": NOW}
    items = {
        f"{ITEM}/{rkey(number)}": {"subject": did, "list": uri, "createdAt": NOW} for number, did in enumerate(dids)
    }
    other = {"subject": dids[0], "list": owner.uri(f"{LIST}/{rkey(1)}"), "createdAt": NOW}
    owner.create({f"{LIST}/{rkey(0)}": named, **items, f"{ITEM}/{rkey(400)}": other})
    for address in (uri, f"https://bsky.app/profile/{owner.account.handle}/lists/{rkey(0)}"):
        answer = service.get("/list", uri=address).json()
        assert answer == {
            "uri": uri,
            "name": named["name"],
            "purpose": named["purpose"],
            "members": [
                {"did": items[path]["subject"], "uri": owner.uri(path)} for path in sorted(items, reverse=True)
            ],
        }
    assert service.refused("/list", uri=owner.uri(f"{LIST}/{rkey(9)}"))[:2] == (404, "ListNotFound")
    assert service.get("/redir", q=f"https://bsky.app/profile/{owner.account.handle}/lists/{rkey(0)}").json() == {
        "uri": uri
    }
