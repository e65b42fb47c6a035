"""/repo/{did}: what a PDS has as JSON Lines, and what becomes of the lies of a PDS."""

from __future__ import annotations

import json
import threading
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.config import config
from atsite.core.repo.cid import cid_of
from atsite.core.repo.writer import car, entry, put, put_commit
from tests.search.cleanup.pds_server import CAR_TYPE
from tests.search.cleanup.ruled_server import Answer, cut, refused, silence
from tests.search.tools.conftest import REPO_MAX
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.search.cleanup.pds_server import Account, PdsServer
    from tests.search.service import Service

POST = "app.bsky.feed.post"


def posts(number: int, **more: Any) -> dict[str, dict[str, Any] | None]:
    return {
        f"{POST}/p{each:06}": {"$type": POST, "text": f"Number {each} ☕ \u2028\u2029\x85\r\x1c", **more}
        for each in range(number)
    }


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def exported(service: Service, name: str) -> list[dict[str, Any]]:
    """The lines of an export, which has begun."""
    response = service.get(f"/repo/{name}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/jsonl"), response.text
    assert response.text.endswith("\n")
    return lines(response.text)


def refusal(service: Service, account: Account) -> tuple[int, str]:
    return service.refused(f"/repo/{account.did}")[:2]


def give(pds: PdsServer, content: bytes) -> None:
    pds.fail("getRepo", Answer(200, content, {"content-type": CAR_TYPE}))


def expected(account: Account) -> list[dict[str, Any]]:
    return [
        *(
            {"uri": f"at://{account.did}/{path}", "cid": account.repo.cid_of(path), "value": value}
            for path, value in sorted(account.repo.values.items())
        ),
        {"end": True, "rev": account.repo.rev, "records": len(account.repo.values)},
    ]


@pytest.mark.parametrize("number", [0, 3, 2_000])
def test_every_record_is_a_line_and_the_last_line_says_that_it_is_the_last(
    service: Service, mira: Account, number: int
) -> None:
    linked = {"app.bsky.actor.profile/self": {"avatar": {"$link": mira.repo.cid}, "raw": {"$bytes": "AAEC"}}}
    mira.repo.write({**posts(number), **(linked if number else {})})
    assert exported(service, mira.did) == expected(mira)
    assert exported(service, mira.handle) == exported(service, f"@{mira.handle}") == expected(mira)


def test_records_of_a_repo_without_an_end_cannot_be_mistaken_for_all(
    service: Service, pds: PdsServer, mira: Account
) -> None:
    """A fault behind the first piece is the last line."""
    mira.repo.write(posts(2_000))
    last = f"{POST}/p001999"
    whole = mira.repo.file()
    content = whole.replace(b"Number 1999", b"Number 2999")
    assert content != whole
    give(pds, content)
    found = exported(service, mira.did)
    assert 500 < len(found) < 2_000
    assert found[:-1] == expected(mira)[: len(found) - 1]
    assert found[-1]["error"] == "InvalidRepo"
    assert last in found[-1]["message"]


def test_a_small_repo_with_a_fault_is_refused_as_a_whole(service: Service, pds: PdsServer, mira: Account) -> None:
    mira.repo.write(posts(3))
    for content in (
        mira.repo.file().replace(b"Number 2", b"Number 9"),
        mira.repo.file()[:-1],
        mira.repo.file()[:100],
        b"",
        b"not a CAR file",
        b"<html>",
        mira.repo.file() + b"\x01",
    ):
        give(pds, content)
        assert refusal(service, mira) == (502, "InvalidRepo")


def test_the_repo_of_another_account_and_a_foreign_signature_are_refused(
    service: Service, pds: PdsServer, mira: Account
) -> None:
    mallory = pds.account("mallory")
    mallory.repo.write(posts(3))
    give(pds, mallory.repo.file())
    assert refusal(service, mira) == (502, "InvalidRepo")
    blocks: dict[bytes, bytes] = {}
    tree = put(blocks, {"l": None, "e": [entry(b"app.bsky.feed.post/a", put(blocks, {"text": "I am mira"}))]})
    root = put_commit(blocks, tree, signer=mallory.key, did=mira.did, rev=mira.repo.rev)
    give(pds, car(root, blocks))
    assert refusal(service, mira) == (502, "InvalidRepo")


def test_a_record_that_json_cannot_express_is_refused(service: Service, pds: PdsServer, mira: Account) -> None:
    content = b"\xa1\x61a" * 3_000 + b"\xa0"  # a map in a map in a map
    blocks = {cid_of(content): content}
    tree = put(blocks, {"l": None, "e": [entry(b"app.bsky.feed.post/a", cid_of(content))]})
    root = put_commit(blocks, tree, signer=mira.key, did=mira.did, rev=mira.repo.rev)
    give(pds, car(root, blocks))
    assert refusal(service, mira) == (502, "InvalidRepo")


def test_a_record_of_the_largest_size_is_exported(service: Service, mira: Account) -> None:
    mira.repo.write({f"{POST}/big": {"text": "\x01" * 1_000_000}})
    assert exported(service, mira.did) == expected(mira)


def test_a_repo_that_is_too_large_is_refused_also_where_it_has_no_end(
    service: Service, pds: PdsServer, mira: Account
) -> None:
    give(pds, bytes(REPO_MAX + 1))
    assert refusal(service, mira) == (502, "TooLarge")
    pds.fail("getRepo", Answer(200, chunks=repeat(bytes(100_000))))
    assert refusal(service, mira) == (502, "TooLarge")


def test_a_body_that_comes_too_slowly_is_given_up(service: Service, pds: PdsServer, mira: Account) -> None:
    ended = threading.Event()

    def drops() -> Iterator[bytes]:
        while not ended.wait(0.05):
            yield b"\x00"

    pds.fail("getRepo", Answer(200, chunks=drops()))
    assert refusal(service, mira) == (504, "UpstreamTimeout")
    pds.fail("getRepo", silence())
    assert refusal(service, mira) == (504, "UpstreamTimeout")
    ended.set()


@pytest.mark.parametrize(
    ("answer", "refused_as"),
    [
        (cut(), (502, "UpstreamFailure")),
        (Answer(200, b"x" * 900, cut_after=700), (502, "UpstreamFailure")),
        (Answer(302, None, {"location": "http://127.0.0.1:1/"}), (502, "UpstreamFailure")),
        (refused(500, "InternalServerError"), (502, "UpstreamFailure")),
        (refused(400, "RepoNotFound"), (404, "RepoNotFound")),
        (refused(400, "RepoDeactivated"), (404, "RepoDeactivated")),
        (refused(400, "RepoTakendown"), (404, "RepoTakendown")),
        (refused(401, "AuthMissing", "token eyJhbGciOiJIUzI1NiJ9.abc.def"), (502, "UpstreamFailure")),
    ],
)
def test_a_pds_that_refuses_or_goes_away_is_told_apart(
    service: Service, pds: PdsServer, mira: Account, answer: Answer, refused_as: tuple[int, str]
) -> None:
    pds.fail("getRepo", answer)
    assert refusal(service, mira) == refused_as


def test_a_pds_that_wants_to_be_left_alone_says_how_long(service: Service, pds: PdsServer, mira: Account) -> None:
    pds.fail("getRepo", refused(429, "RateLimitExceeded", retry_after="17"))
    response = service.get(f"/repo/{mira.did}")
    assert (response.status_code, response.json()["error"]) == (502, "UpstreamFailure")
    assert response.headers["retry-after"] == "17"


@pytest.mark.parametrize(
    ("name", "refused_as"),
    [
        ("did:plc:zzzzzzzzzzzzzzzzzzzzzzzz", (404, "AccountNotFound")),
        ("nobody.test", (404, "AccountNotFound")),
        ("did:plc:short", (400, "InvalidRequest")),
        ("did:example:a", (400, "InvalidRequest")),
        ("alice", (400, "InvalidRequest")),
        ("handle.invalid", (400, "InvalidRequest")),
        ("x" * 3_000, (400, "InvalidRequest")),
        ("%00", (400, "InvalidRequest")),
    ],
)
def test_what_names_no_account_is_refused(service: Service, pds: PdsServer, name: str, refused_as: Any) -> None:
    assert service.refused(f"/repo/{name}")[:2] == refused_as
    assert pds.asked("getRepo") == []


@pytest.mark.parametrize("endpoint", ["", "http://localhost:1", "http://10.0.0.1", "http://localhost/x?y=", "ftp://x"])
def test_a_server_that_cannot_be_asked(service: Service, mira: Account, endpoint: str) -> None:
    mira.endpoint = endpoint or "x"
    assert refusal(service, mira)[0] in (404, 502)


def test_what_callers_leave_behind_ends(service: Service, mira: Account, valkey: redis.Redis) -> None:
    mira.repo.write(posts(3))
    assert exported(service, mira.handle) == expected(mira)
    assert service.get("/redir", q=f"https://bsky.app/profile/{mira.handle}").status_code == 200
    assert service.get("/list", uri=f"at://{mira.did}/app.bsky.graph.list/a").status_code == 404
    names = [name for name in valkey.keys("*") if isinstance(name, bytes)]
    assert {name.split(b":")[1] for name in names} == {b"rate", b"did", b"handle"}
    assert [name for name in names if int(valkey.pttl(name)) < 0] == []
    assert list((config.data_dir / "tools").iterdir()) == []


def test_clean_ups_keep_their_addresses(service: Service) -> None:
    assert service.get("/repo/cleanup/stats").status_code == 200
    assert service.refused("/repo/cleanup") == (400, "InvalidRequest", "job_id: Field required")


def test_as_many_exports_as_there_are_places(service: Service, pds: PdsServer, mira: Account) -> None:
    """Four places, of which a caller has two; a place comes back also where the download fails."""
    held = threading.Event()
    pds.before("getRepo", lambda call: held.wait(10), times=2)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(service.get(f"/repo/{mira.did}").status_code)) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(pds.asked("getRepo")) == 2, "two downloads")
    busy = service.get(f"/repo/{mira.did}")
    assert (busy.status_code, busy.json()["error"], busy.headers["retry-after"]) == (429, "RateLimitExceeded", "60")
    held.set()
    for thread in threads:
        thread.join()
    assert statuses == [200, 200]
    for _ in range(5):
        pds.fail("getRepo", cut())
        assert refusal(service, mira)[0] == 502
    assert exported(service, mira.did) == expected(mira)


def test_a_reader_that_goes_away_gives_its_place_back(service: Service, mira: Account) -> None:
    mira.repo.write(posts(9_000, langs=["en"] * 20))
    for _ in range(6):
        with service.client.stream("GET", f"/repo/{mira.did}") as response:
            assert response.status_code == 200
            next(response.iter_bytes())

    def is_answered() -> bool:
        return service.get(f"/repo/{mira.did}").status_code == 200

    until(is_answered, "a free place")
