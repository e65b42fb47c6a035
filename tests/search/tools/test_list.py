"""/list: the members of a list, as the PDS of its owner lists them, and what becomes of the lies of a PDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from indexer.index.handles import names_of
from labels.models import Block
from tests.builders import ago, identity, store
from tests.search.cleanup.ruled_server import Answer, cut, refused, silence
from tests.steps import steps
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.search.cleanup.pds_server import Account, PdsServer
    from tests.search.service import Service

LIST, ITEM = "app.bsky.graph.list", "app.bsky.graph.listitem"
CURATE = "app.bsky.graph.defs#curatelist"


def did(number: int) -> str:
    return f"did:plc:{number:024}".replace("0", "a").replace("1", "b").replace("8", "h").replace("9", "i")


def uri_of(owner: Account, rkey: str = "friends") -> str:
    return f"at://{owner.did}/{LIST}/{rkey}"


def item(owner: Account, subject: Any, of: str = "friends") -> dict[str, Any]:
    return {"$type": ITEM, "subject": subject, "list": uri_of(owner, of), "createdAt": "2026-01-01T00:00:00Z"}


@pytest.fixture
def owner(mira: Account) -> Account:
    """Who has two lists: of 3 friends, and of 2 others."""
    mira.repo.write(
        {
            f"{LIST}/friends": {"$type": LIST, "name": "Friends ☕", "purpose": CURATE},
            f"{LIST}/others": {"$type": LIST, "name": "Others", "purpose": CURATE},
            **{f"{ITEM}/i{number}": item(mira, did(number)) for number in range(1, 4)},
            **{f"{ITEM}/o{number}": item(mira, did(number), "others") for number in (3, 4)},
        }
    )
    return mira


def listed(service: Service, **parameters: str) -> dict[str, Any]:
    response = service.get("/list", **parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def walk(service: Service, uri: str) -> Iterator[list[str]]:
    """The members of each page."""
    cursor: dict[str, str] = {}
    for _ in steps():
        page = listed(service, uri=uri, **cursor)
        yield [member["did"] for member in page["members"]]
        if "cursor" not in page:
            return
        cursor = {"cursor": page["cursor"]}


def test_a_list_has_its_members_and_not_those_of_another_list(service: Service, owner: Account) -> None:
    store(identity(did(2), "second.example.com", at=ago(hours=1)))  # type: ignore[arg-type]
    until(lambda: did(2) in names_of([did(2)]))
    expected = {
        "uri": uri_of(owner),
        "name": "Friends ☕",
        "purpose": CURATE,
        "members": [
            {"did": did(3), "uri": f"at://{owner.did}/{ITEM}/i3"},
            {"did": did(2), "handle": "second.example.com", "uri": f"at://{owner.did}/{ITEM}/i2"},
            {"did": did(1), "uri": f"at://{owner.did}/{ITEM}/i1"},
        ],
    }
    for address in (
        uri_of(owner),
        f"at://mira.test/{LIST}/friends",
        f"https://bsky.app/profile/{owner.did}/lists/friends",
        "bsky.app/profile/mira.test/lists/friends",
    ):
        assert listed(service, uri=address) == expected


def test_a_long_list_comes_in_pages_and_each_member_once(service: Service, owner: Account) -> None:
    owner.repo.write({f"{ITEM}/x{number:05}": item(owner, did(10_000 + number)) for number in range(2_300)})
    pages = list(walk(service, uri_of(owner)))
    assert [len(page) for page in pages[:2]] == [1_000, 1_000]
    found = [member for page in pages for member in page]
    assert sorted(found) == sorted([did(10_000 + number) for number in range(2_300)] + [did(n) for n in (1, 2, 3)])


def test_a_list_without_members_and_one_that_does_not_exist(service: Service, owner: Account) -> None:
    owner.repo.write({f"{LIST}/empty": {"$type": LIST, "name": 5}})
    assert listed(service, uri=uri_of(owner, "empty")) == {
        "uri": uri_of(owner, "empty"), "name": "", "purpose": "", "members": [],
    }  # fmt: skip
    assert service.refused("/list", uri=uri_of(owner, "none"))[:2] == (404, "ListNotFound")
    assert service.refused("/list", uri=f"at://nobody.test/{LIST}/a")[:2] == (404, "AccountNotFound")


@pytest.mark.django_db(transaction=True)
def test_accounts_that_this_site_blocks_are_left_out(service: Service, owner: Account, pds: PdsServer) -> None:
    Block.objects.create(subject=did(2))
    mallory = pds.account("mallory")
    mallory.repo.write({f"{LIST}/friends": {"name": "x"}})
    Block.objects.create(subject=mallory.did)
    found = listed(service, uri=uri_of(owner))["members"]
    assert [member["did"] for member in found] == [did(3), did(1)]
    assert service.refused("/list", uri=uri_of(mallory))[:2] == (404, "ListNotFound")
    assert service.refused(f"/repo/{mallory.did}")[:2] == (404, "AccountNotFound")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "x",
        "mira.test",
        "at://mira.test/app.bsky.feed.post/3k",
        "https://bsky.app/profile/mira.test/post/3k",
        "https://bsky.app/profile/mira.test",
        f"at://handle.invalid/{LIST}/a",
        f"at://did:example:a/{LIST}/a",
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(service: Service, pds: PdsServer, uri: str) -> None:
    status, name, message = service.refused("/list", uri=uri)
    assert (status, name, len(message) > 10) == (400, "InvalidRequest", True)
    assert pds.calls == []


@pytest.mark.parametrize("cursor", ["", "x", "WzEsIng", "W1s"])
def test_a_cursor_of_another_list_is_refused(service: Service, owner: Account, cursor: str) -> None:
    assert service.refused("/list", uri=uri_of(owner), cursor=cursor)[:2] == (400, "InvalidRequest")


def answer(owner: Account, records: Any, **more: Any) -> Answer:
    return Answer(200, {"records": records, **more})


def entry(owner: Account, subject: Any, uri: Any = None, of: str = "friends") -> dict[str, Any]:
    return {"uri": uri or f"at://{owner.did}/{ITEM}/a", "value": item(owner, subject, of)}


def test_entries_that_no_app_would_show_are_passed_over(service: Service, pds: PdsServer, owner: Account) -> None:
    good = entry(owner, did(1))
    strange: list[Any] = [
        None, 5, {}, {"value": 5}, {"value": {}, "uri": good["uri"]}, good, good,
        entry(owner, "did:plc:short"), entry(owner, 5), entry(owner, did(2), "at://x/y/z"), entry(owner, did(2), 5),
        entry(owner, did(3), f"at://{did(9)}/{ITEM}/a"), entry(owner, did(4), of="other"),
    ]  # fmt: skip
    pds.fail("listRecords", answer(owner, strange))
    assert [member["did"] for member in listed(service, uri=uri_of(owner))["members"]] == [did(1)]


@pytest.mark.parametrize(
    "lie",
    [
        {"records": None},
        {"records": [{}], "cursor": 5},
        {"records": [{}], "cursor": "x" * 600},
        {"records": [{}], "cursor": "same"},
        [],
        b"<html>",
        b"[" * 500_000,
        b'{"records": [' + b" " * 2_000_000,
    ],
)
def test_a_pds_that_lies_is_refused(service: Service, pds: PdsServer, owner: Account, lie: Any) -> None:
    pds.fail("listRecords", Answer(200, lie), times=None)
    assert service.refused("/list", uri=uri_of(owner))[0] == 502


def test_a_pds_whose_list_never_ends_is_left_after_some_pages(service: Service, pds: PdsServer, owner: Account) -> None:
    count = iter(range(10_000))
    pds.rule("listRecords", lambda call, go_on: answer(owner, [{}], cursor=f"c{next(count)}"), times=None)
    page = listed(service, uri=uri_of(owner))
    assert (page["members"], "cursor" in page) == ([], True)
    assert len(pds.asked("listRecords")) == 10


@pytest.mark.parametrize(
    ("method", "failure", "refused_as"),
    [
        ("getRecord", cut(), (502, "UpstreamFailure")),
        ("getRecord", silence(), (504, "UpstreamTimeout")),
        ("getRecord", refused(400, "RepoTakendown"), (404, "RepoTakendown")),
        ("listRecords", cut(20), (502, "UpstreamFailure")),
        ("listRecords", refused(500, "InternalServerError"), (502, "UpstreamFailure")),
        ("listRecords", refused(400, "InvalidRequest", "Could not find repo: x"), (404, "RepoNotFound")),
        ("listRecords", Answer(302, None, {"location": "http://127.0.0.1:1/"}), (502, "UpstreamFailure")),
    ],
)
def test_a_pds_that_refuses_or_goes_away_is_told_apart(
    service: Service, pds: PdsServer, owner: Account, method: str, failure: Answer, refused_as: tuple[int, str]
) -> None:
    pds.fail(method, failure)
    assert service.refused("/list", uri=uri_of(owner))[:2] == refused_as
