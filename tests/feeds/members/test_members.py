"""Members of feeds, changed and listed over HTTP by programs with an API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from apikeys import keys
from apikeys.models import ApiKey, add_key
from atsite.core.atproto.syntax import Did
from atsite.core.web.auth import OFFERED, SCOPES, Scope
from atsite.urls.feedgen import urlpatterns
from feeds.models import FeedDefinition
from labels import membership
from labels.models import ActorLabel
from tests import builders as b
from tests.core.identity.network import document
from tests.documents import check_examples, mounted, operations
from tests.feeds import readers
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.service import SKELETON
from tests.feeds.serving.test_http import error
from tests.rows import store
from tests.tokens import SKELETON as SKELETON_METHOD
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import redis
    from pytest_django.plugin import DjangoDbBlocker

    from apikeys.keys import Key
    from tests.feeds.readers import Site

#: Scopes whose operations are those of the search service.
OF_SEARCH = {Scope.SEARCH, Scope.TOOLS}
ASSIGN, UNASSIGN, MEMBERS = "/assign_user_to_feed", "/unassign_user_from_feed", "/feed_members"
ALICE, BOB, CARLA = (Did("did:plc:" + letter * 24) for letter in "abc")


@pytest.fixture(scope="module")
def process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with readers.running(tmp_path_factory.mktemp("feedgen")) as site:
        yield site


@pytest.fixture
def site(
    process: Site,
    clickhouse: None,
    valkey: redis.Redis,
    transactional_db: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Site]:
    """The running site with the feeds that every site begins with, and three people who have handles."""
    readers.define_feeds(django_db_blocker)
    for name, did in {"alice": ALICE, "bob": BOB, "carla": CARLA}.items():
        process.network.answers[f"/{did}"] = document(did, f"{name}.test")
        resolve = f"/xrpc/com.atproto.identity.resolveHandle?handle={name}.test"
        process.network.answers[resolve] = {"did": did}
    key = key_for("members", feeds=("a-mpls",))
    until(lambda: call(process, key, "GET", MEMBERS, feedName="a-mpls").status_code == 200)
    yield process
    process.service.redis.mend()
    process.service.clickhouse.mend()


def key_for(*scopes: str, feeds: tuple[str, ...] = ()) -> Key:
    key = keys.mint()
    add_key(key, scopes=list(scopes), feeds=list(feeds))
    return key


@pytest.fixture
def moderator_key(site: Site) -> Key:
    """May change members of two feeds: one has a label, the other has not."""
    return key_for("members", feeds=("a-mpls", "whats-hot", "missing"))


def call(site: Site, key: Key | None, method: str, path: str, **params: str | int) -> httpx.Response:
    headers = {} if key is None else {"X-API-Key": key.text}
    return site.service.http.request(method, path, params=params, headers=headers)


def changed(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_what_a_key_is_told_is_in_no_cache(site: Site, moderator_key: Key) -> None:
    for path in (MEMBERS, "/admin/feeds"):
        response = call(site, moderator_key, "GET", path, feedName="a-mpls")
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "private, no-store")


def members(site: Site, key: Key, **params: str | int) -> dict[str, Any]:
    return changed(call(site, key, "GET", MEMBERS, feedName="a-mpls", **params))


def test_somebody_becomes_a_member_at_once_and_is_taken_out_at_once(site: Site, moderator_key: Key) -> None:
    answer = {"did": ALICE, "feedName": "a-mpls", "changed": True, "late": []}
    alice = {"feedName": "a-mpls", "handle": "Alice.test"}
    assert changed(call(site, moderator_key, "PUT", ASSIGN, **alice)) == answer
    assert membership.has_label(ALICE, "mpls")
    assert members(site, moderator_key) == {"members": [{"did": ALICE}]}
    row = ActorLabel.objects.get(label_id="mpls", did=ALICE)
    assert row.created_by == moderator_key.id
    assert changed(call(site, moderator_key, "PUT", ASSIGN, **alice)) == {**answer, "changed": False}
    assert changed(call(site, moderator_key, "PUT", UNASSIGN, **alice)) == answer
    assert not membership.has_label(ALICE, "mpls")
    assert members(site, moderator_key) == {"members": []}
    assert changed(call(site, moderator_key, "PUT", UNASSIGN, **alice)) == {**answer, "changed": False}


def test_the_first_member_switches_a_feed_on_that_waits_for_it(site: Site, moderator_key: Key) -> None:
    FeedDefinition.objects.filter(rkey="a-mpls").update(enabled=False, waits_for_members=True)
    try:
        until(lambda: "a-mpls" not in described(site))
        assert members(site, moderator_key) == {"members": []}
        first = {"feedName": "a-mpls", "handle": "Alice.test"}
        assert changed(call(site, moderator_key, "PUT", ASSIGN, **first))["changed"]
        until(lambda: "a-mpls" in described(site))
    finally:
        FeedDefinition.objects.filter(rkey="a-mpls").update(enabled=True)


def described(site: Site) -> set[str]:
    """The record keys of the feeds that are served."""
    answer = site.service.http.get("/xrpc/app.bsky.feed.describeFeedGenerator").json()
    return {feed["uri"].rpartition("/")[2] for feed in answer["feeds"]}


def test_a_member_is_read_as_people_paste_one(site: Site, moderator_key: Key) -> None:
    for text in ("\u202aalice.test\u202c", "@alice.test\u00a0", "bsky.app/profile/Alice.test/?x#y", f"at://{ALICE}"):
        for path in (ASSIGN, UNASSIGN):
            answer = changed(call(site, moderator_key, "PUT", path, feedName="a-mpls", handle=text))
            assert (answer["did"], answer["changed"]) == (ALICE, True), text
        assert members(site, moderator_key, handle=text) == {"members": []}


def test_a_member_reads_the_private_feed_from_that_moment_on_and_no_longer(site: Site, moderator_key: Key) -> None:
    reader = Did(site.someone())
    post = b.post(reader, at=b.ago(minutes=5), text="hello")
    store(post)
    params = {"feed": f"at://{PUBLISHER}/app.bsky.feed.generator/a-mpls"}

    def read() -> list[str]:
        token = site.token(iss=reader, lxm=SKELETON_METHOD)
        response = site.service.http.get(SKELETON, params=params, headers={"Authorization": token})
        assert response.headers["Cache-Control"] == "private, no-store"
        return [entry["post"] for entry in response.json()["feed"]]

    pages = [read()]
    for path in (ASSIGN, UNASSIGN):
        changed(call(site, moderator_key, "PUT", path, feedName="a-mpls", handle=reader))
        pages.append(read())
    labels_key = key_for("labels")
    for path in ("/assign_label_to_user", "/unassign_label_from_user"):
        changed(call(site, labels_key, "PUT", path, label="mpls", handle=reader))
        pages.append(read())
    assert pages == [[], [post.uri], [], [post.uri], []]


def test_a_did_is_taken_as_it_is_so_that_a_deleted_account_can_be_taken_out(site: Site, moderator_key: Key) -> None:
    gone = Did("did:plc:" + "z" * 24)
    for path in (ASSIGN, UNASSIGN):
        assert changed(call(site, moderator_key, "PUT", path, feedName="a-mpls", handle=gone))["changed"]
    assert f"/{gone}" not in site.network.asked


def test_a_cut_off_did_becomes_no_member(site: Site, moderator_key: Key) -> None:
    for did in ("did:plc:short", ALICE[:-1], "did:web:example.com%3A1"):
        response = call(site, moderator_key, "PUT", ASSIGN, feedName="a-mpls", handle=did)
        assert error(response) == (400, "InvalidRequest")
        assert response.json()["message"].startswith(f"handle: {did} is ")
    assert not ActorLabel.every.exists()


def test_a_did_web_is_the_same_member_in_either_case(site: Site, moderator_key: Key) -> None:
    def call_for(method: str, path: str, did: str) -> Any:
        return changed(call(site, moderator_key, method, path, feedName="a-mpls", handle=did))["changed"]

    assert call_for("PUT", ASSIGN, "did:web:Alice.Example.com")
    assert not call_for("PUT", ASSIGN, "did:web:alice.example.com")
    assert members(site, moderator_key) == {"members": [{"did": "did:web:alice.example.com"}]}
    assert call_for("PUT", UNASSIGN, "did:web:ALICE.example.com")


def test_members_are_listed_by_did_with_their_handles_page_by_page(site: Site, moderator_key: Key) -> None:
    store(b.identity(ALICE, "alice.test", at=b.ago(hours=1)), b.identity(BOB, "bob.test", at=b.ago(hours=1)))
    for did in (CARLA, ALICE, BOB):
        membership.assign("mpls", did, by="a test")
    membership.assign("tqsp", Did("did:plc:" + "y" * 24), by="a test")
    first = members(site, moderator_key, limit=2)
    assert first["members"] == [{"did": ALICE, "handle": "alice.test"}, {"did": BOB, "handle": "bob.test"}]
    assert members(site, moderator_key, limit=2, cursor=first["cursor"]) == {"members": [{"did": CARLA}]}
    assert members(site, moderator_key, limit=3).keys() == {"members"}
    assert members(site, moderator_key, handle="bob.test") == {"members": [{"did": BOB, "handle": "bob.test"}]}
    membership.remove("mpls", BOB, by="a test")
    assert members(site, moderator_key, handle="bob.test") == {"members": []}


@pytest.mark.parametrize(
    ("params", "expected", "sentence"),
    [
        ({"feedName": "whats-hot", "handle": ALICE}, (400, "InvalidRequest"), "whats-hot has no label"),
        ({"feedName": "missing", "handle": ALICE}, (400, "UnknownFeed"), "there is no feed 'missing' here"),
        ({"feedName": "a-mpls"}, (400, "InvalidRequest"), "handle: "),
        ({"handle": ALICE}, (400, "InvalidRequest"), "feedName: "),
        ({"feedName": "a-mpls", "handle": "nobody.test"}, (400, "InvalidRequest"), "nobody.test"),
        ({"feedName": "a-mpls", "handle": "no handle"}, (400, "InvalidRequest"), "handle: neither a handle nor a did"),
        (
            {"feedName": "a-mpls", "handle": "handle.invalid"},
            (400, "InvalidRequest"),
            "handle: handle.invalid names no account",
        ),
        ({"feedName": "a-mpls", "handle": "liar.test"}, (400, "InvalidRequest"), "liar.test"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    site: Site, moderator_key: Key, params: dict[str, str], expected: tuple[int, str], sentence: str
) -> None:
    site.network.answers["/xrpc/com.atproto.identity.resolveHandle?handle=nobody.test"] = 400
    site.network.answers["/xrpc/com.atproto.identity.resolveHandle?handle=liar.test"] = {"did": ALICE}
    for path in (ASSIGN, UNASSIGN):
        response = call(site, moderator_key, "PUT", path, **params)
        assert error(response) == expected
        assert sentence in response.json()["message"]
    assert not ActorLabel.objects.exists()


def test_a_handle_that_nobody_can_look_up_now_is_no_fault_of_the_caller(site: Site, moderator_key: Key) -> None:
    site.network.answers["/xrpc/com.atproto.identity.resolveHandle?handle=slow.test"] = 503
    response = call(site, moderator_key, "PUT", ASSIGN, feedName="a-mpls", handle="slow.test")
    assert error(response) == (502, "UpstreamFailure")


def test_a_list_has_limits_and_its_own_cursors(site: Site, moderator_key: Key) -> None:
    for params in ({"limit": 0}, {"limit": 1001}, {"cursor": "garbage"}, {"cursor": ""}):
        assert error(call(site, moderator_key, "GET", MEMBERS, feedName="a-mpls", **params)) == (400, "InvalidRequest")


def test_each_key_has_its_answer(site: Site) -> None:
    good, revoked = (key_for("members", feeds=("a-mpls",)) for _ in range(2))
    ApiKey.objects.get(key_id=revoked.id).revoke()
    table: dict[str, tuple[Key | None, tuple[int, str | None]]] = {
        "none": (None, (401, "AuthenticationRequired")),
        "unknown": (keys.mint(), (401, "AuthenticationRequired")),
        "wrong secret": (keys.Key(good.id, keys.mint().secret), (401, "AuthenticationRequired")),
        "revoked": (revoked, (401, "AuthenticationRequired")),
        "wrong scope": (key_for("stats", "search", "labels", feeds=("a-mpls",)), (403, "Forbidden")),
        "wrong feed": (key_for("members", feeds=("cl-tqsp",)), (403, "Forbidden")),
        "no feed": (key_for("members"), (403, "Forbidden")),
        "good": (good, (200, None)),
    }
    calls: dict[str, tuple[str, dict[str, str | int]]] = {
        ASSIGN: ("PUT", {"feedName": "a-mpls", "handle": ALICE}),
        UNASSIGN: ("PUT", {"feedName": "a-mpls", "handle": ALICE}),
        MEMBERS: ("GET", {"feedName": "a-mpls"}),
    }
    for name, (key, expected) in table.items():
        for path, (method, params) in calls.items():
            response = call(site, key, method, path, **params)
            answer = (200, None) if response.status_code == 200 else error(response)
            assert (name, path, answer) == (name, path, expected)
    assert not ActorLabel.objects.exists()


def test_nobody_is_looked_up_for_a_key_that_may_not(site: Site) -> None:
    key = key_for("members", feeds=("cl-tqsp",))
    asked = len(site.network.asked)
    assert error(call(site, key, "PUT", ASSIGN, feedName="a-mpls", handle="carla.test")) == (403, "Forbidden")
    assert site.network.asked[asked:] == []


def test_members_change_while_redis_or_clickhouse_is_away(site: Site, moderator_key: Key) -> None:
    site.service.redis.cut()
    late = changed(call(site, moderator_key, "PUT", ASSIGN, feedName="a-mpls", handle=ALICE))["late"]
    assert [sentence.partition(",")[0] for sentence in late] == ["Saved"]
    site.service.redis.mend()
    site.service.clickhouse.cut()
    late = changed(call(site, moderator_key, "PUT", ASSIGN, feedName="a-mpls", handle=BOB))["late"]
    assert any("ClickHouse" in sentence for sentence in late)
    assert members(site, moderator_key) == {"members": [{"did": ALICE}, {"did": BOB}]}


def test_the_endpoints_are_described(site: Site) -> None:
    document = site.service.http.get("/openapi.json").json()
    assert set(document["paths"]) == mounted(urlpatterns)
    check_examples(document)
    guarded = {
        path: methods
        for path, methods in document["paths"].items()
        if any({"ApiKeyAuth": []} in operation.get("security", ()) for operation in methods.values())
    }
    assert {path: sorted(methods) for path, methods in guarded.items()} == {
        ASSIGN: ["put"],
        UNASSIGN: ["put"],
        MEMBERS: ["get"],
        "/assign_label_to_user": ["put"],
        "/unassign_label_from_user": ["put"],
        "/label_members": ["get"],
        "/admin/feeds": ["get"],
    }
    with_token = {
        path.rpartition(".")[2]: operation["security"]
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if {"ServiceToken": []} in operation.get("security", ())
    }
    assert with_token == {
        "getFeedSkeleton": [{}, {"ServiceToken": []}],  # also without a token
        "sendInteractions": [{"ServiceToken": []}],
    }
    for methods in guarded.values():
        for operation in methods.values():
            assert operation["security"] == [{"ApiKeyAuth": []}]
            assert set(operation["responses"]) == {"200", "400", "401", "403", "429", "502", "503"}
            assert operation["summary"] != operation["operationId"].rpartition("_api_")[2].replace("_", " ").title()
    scheme = document["components"]["securitySchemes"]["ApiKeyAuth"]
    assert (scheme["in"], scheme["name"]) == ("header", "X-API-Key")
    assert site.service.http.get("/docs").status_code == 200


def test_each_scope_on_offer_opens_an_operation_and_the_document_says_which(site: Site) -> None:
    document = site.service.http.get("/openapi.json").json()
    opened = {path: (method, set(op["x-scopes"])) for path, method, op in operations(document) if "x-scopes" in op}
    assert set().union(*(scopes for _, scopes in opened.values())) == set(OFFERED) - OF_SEARCH
    for scope in Scope:
        key = key_for(scope, feeds=("a-mpls",) if scope is Scope.MEMBERS else ())
        for path, (method, scopes) in opened.items():
            query = {"feedName": "a-mpls", "label": "mpls", "handle": "carol.example"}
            answer = call(site, key, method.upper(), path, **query)
            assert (path, scope, answer.status_code != 403) == (path, scope, scope in scopes)
        about = document["info"]["description"]
        assert (f"| `{scope}` | {SCOPES[scope]} | `" in about) is (scope in set(OFFERED) - OF_SEARCH)


def test_a_wrong_method_and_an_unknown_path_are_said_in_xrpc_words(site: Site, moderator_key: Key) -> None:
    assert error(call(site, moderator_key, "POST", ASSIGN)) == (405, "InvalidRequest")
    assert error(call(site, moderator_key, "GET", "/feed_member")) == (404, "XRPCNotSupported")
