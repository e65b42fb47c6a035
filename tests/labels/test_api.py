"""Who carries a label, changed and listed by programs with an API key (also tests/feeds/members/test_members.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client, override_settings

from apikeys import keys
from apikeys.models import ApiKey, add_key
from atsite.core import cursor_format
from atsite.core.atproto.syntax import Did
from labels import members_for_api, membership
from labels.change_author import Via
from labels.models import ActorLabel, Label
from tests import builders as b
from tests.away import clickhouse_away, redis_away
from tests.labels.people import IMPOSSIBLE, MIRA, NOBODY, NOEL, OTTO, RESOLVE, earlier
from tests.rows import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse

    from apikeys.keys import Key
    from tests.core.identity.network import Network

ASSIGN, UNASSIGN, MEMBERS = "/assign_label_to_user", "/unassign_label_from_user", "/label_members"
#: As the feed generator runs (atsite/settings.py).
SERVICE = {
    "ROOT_URLCONF": "atsite.urls.feedgen",
    "MIDDLEWARE": ["atsite.core.web.xrpc.ErrorBodies", "atsite.core.web.framing.Framing"],
    "ALLOWED_HOSTS": ["testserver"],
}


@pytest.fixture
def labels_key(clickhouse: None, label: str, network: Network) -> Iterator[Key]:
    """May change who carries any label; the API is that of the feed generator."""
    with override_settings(**SERVICE):
        yield key_for("labels")


def key_for(*scopes: str, feeds: tuple[str, ...] = ()) -> Key:
    key = keys.mint()
    add_key(key, scopes=list(scopes), feeds=list(feeds))
    return key


def call(key: Key | None, method: str, path: str, **params: str | int) -> HttpResponse:
    members_for_api._resolver.cache_clear()  # it is for one event loop, and the client makes one for each call
    headers = {} if key is None else {"X-API-Key": key.text}
    response: HttpResponse = Client().generic(method, path, query_params=params, headers=headers)  # type: ignore[assignment]
    return response


def said(response: HttpResponse) -> tuple[int, Any]:
    return response.status_code, response.json()  # type: ignore[attr-defined]  # of the test client


def error(response: HttpResponse) -> tuple[int, str]:
    status, body = said(response)
    assert body.keys() == {"error", "message"}
    return status, body["error"]


def test_a_label_is_given_and_taken_at_once_by_the_key_whether_or_not_a_feed_uses_it(labels_key: Key) -> None:
    Label.objects.create(name="unused")
    answer = {"did": MIRA.did, "label": "unused", "changed": True, "late": []}
    mira = {"label": "unused", "handle": MIRA.handle.title()}
    assert said(call(labels_key, "PUT", ASSIGN, **mira)) == (200, answer)
    assert membership.has_label(MIRA.did, "unused")
    row = ActorLabel.objects.get(label_id="unused")
    assert (row.did, row.created_by, row.changed_by, row.changed_via) == (
        MIRA.did, labels_key.id, labels_key.id, Via.API_KEY,
    )  # fmt: skip
    assert said(call(labels_key, "PUT", ASSIGN, **mira)) == (200, {**answer, "changed": False})
    assert said(call(labels_key, "PUT", UNASSIGN, **mira)) == (200, answer)
    assert not membership.has_label(MIRA.did, "unused")
    assert said(call(labels_key, "PUT", UNASSIGN, **mira)) == (200, {**answer, "changed": False})
    entries = ActorLabel.history.order_by("history_id").values_list("deleted", "changed_by", "changed_via")
    assert list(entries) == [(False, labels_key.id, Via.API_KEY), (True, labels_key.id, Via.API_KEY)]


@pytest.mark.parametrize(
    "text", [f"\u202a{MIRA.handle}\u202c", f"https://bsky.app/profile/{MIRA.handle}/post/3k?x", f"\u200b{MIRA.did}"]
)
def test_an_actor_is_read_as_people_paste_one(labels_key: Key, text: str) -> None:
    for path in (ASSIGN, UNASSIGN):
        status, answer = said(call(labels_key, "PUT", path, label="mpls", handle=text))
        assert (status, answer["did"], answer["changed"]) == (200, MIRA.did, True)
    assert said(call(labels_key, "GET", MEMBERS, label="mpls", handle=text)) == (200, {"members": []})


def test_a_did_is_taken_as_it_is_so_that_a_deleted_account_loses_its_label(labels_key: Key, network: Network) -> None:
    for path in (ASSIGN, UNASSIGN):
        assert said(call(labels_key, "PUT", path, label="mpls", handle=NOBODY)) == (
            200,
            {"did": NOBODY, "label": "mpls", "changed": True, "late": []},
        )
    assert f"/{NOBODY}" not in network.asked


@pytest.mark.parametrize("did", IMPOSSIBLE)
def test_a_did_that_no_account_can_have_gets_no_label_and_one_that_has_it_loses_it(labels_key: Key, did: str) -> None:
    params = {"label": "mpls", "handle": did}
    response = call(labels_key, "PUT", ASSIGN, **params)
    assert error(response) == (400, "InvalidRequest")
    assert said(response)[1]["message"].startswith(f"handle: {did} is ")
    assert not ActorLabel.every.exists()
    earlier("mpls", did)
    assert said(call(labels_key, "GET", MEMBERS, **params)) == (200, {"members": [{"did": did}]})
    assert said(call(labels_key, "PUT", UNASSIGN, **params))[1]["changed"]
    assert not membership.has_label(Did(did), "mpls")


def test_carriers_are_listed_by_did_with_their_handles_page_by_page(labels_key: Key) -> None:
    store(b.identity(MIRA.did, MIRA.handle, at=b.ago(hours=1)), b.identity(NOEL.did, NOEL.handle, at=b.ago(hours=1)))
    Label.objects.create(name="other")
    for person in (OTTO, MIRA, NOEL):
        membership.assign("mpls", person.did, by="a test")
    membership.assign("other", Did("did:plc:" + "y" * 24), by="a test")
    mira, noel = ({"did": person.did, "handle": person.handle} for person in (MIRA, NOEL))
    response = call(labels_key, "GET", MEMBERS, label="mpls", limit=2)
    assert response["Cache-Control"] == "private, no-store"
    _, first = said(response)
    assert first["members"] == [mira, noel]
    rest = said(call(labels_key, "GET", MEMBERS, label="mpls", limit=2, cursor=first["cursor"]))
    assert rest == (200, {"members": [{"did": OTTO.did}]})
    assert said(call(labels_key, "GET", MEMBERS, label="mpls"))[1].keys() == {"members"}
    assert said(call(labels_key, "GET", MEMBERS, label="mpls", handle=NOEL.handle)) == (200, {"members": [noel]})
    membership.remove("mpls", NOEL.did, by="a test")
    assert said(call(labels_key, "GET", MEMBERS, label="mpls", handle=NOEL.handle)) == (200, {"members": []})


@pytest.mark.parametrize(
    ("params", "expected", "sentence"),
    [
        ({"label": "missing", "handle": MIRA.did}, (400, "UnknownLabel"), "label: the label 'missing' does not exist"),
        ({"label": "x" * 65, "handle": MIRA.did}, (400, "InvalidRequest"), "label: "),
        ({"label": "mpls"}, (400, "InvalidRequest"), "handle: "),
        ({"handle": MIRA.did}, (400, "InvalidRequest"), "label: "),
        ({"label": "mpls", "handle": "nobody.test"}, (400, "InvalidRequest"), "nobody.test"),
        ({"label": "mpls", "handle": "no handle"}, (400, "InvalidRequest"), "handle: neither a handle nor a did"),
        (
            {"label": "mpls", "handle": "handle.invalid"},
            (400, "InvalidRequest"),
            "handle: handle.invalid names no account",
        ),
        ({"label": "mpls", "handle": "liar.test"}, (400, "InvalidRequest"), "liar.test"),
        ({"label": "mpls", "handle": "slow.test"}, (502, "UpstreamFailure"), "slow.test cannot be looked up now"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    labels_key: Key, network: Network, params: dict[str, str], expected: tuple[int, str], sentence: str
) -> None:
    network.answers |= {
        f"{RESOLVE}nobody.test": 400,
        f"{RESOLVE}liar.test": {"did": MIRA.did},
        f"{RESOLVE}slow.test": 503,
    }
    for path in (ASSIGN, UNASSIGN):
        response = call(labels_key, "PUT", path, **params)
        assert error(response) == expected
        assert sentence in said(response)[1]["message"]
    if params.keys() != {"label"}:
        assert error(call(labels_key, "GET", MEMBERS, **params)) == expected
    assert not ActorLabel.objects.exists()


def test_a_list_has_limits_and_its_own_cursors(labels_key: Key) -> None:
    of_nobody = cursor_format.encode(members_for_api.CURSOR_KIND, "mira")
    for params in ({"limit": 0}, {"limit": 1001}, {"cursor": "garbage"}, {"cursor": ""}, {"cursor": of_nobody}):
        assert error(call(labels_key, "GET", MEMBERS, label="mpls", **params)) == (400, "InvalidRequest")
    assert error(call(labels_key, "POST", ASSIGN)) == (405, "InvalidRequest")


def test_each_key_has_its_answer_and_one_that_may_not_looks_up_nobody(labels_key: Key, network: Network) -> None:
    revoked, hasty = key_for("labels"), key_for("labels")
    ApiKey.objects.get(key_id=revoked.id).revoke()
    ApiKey.objects.filter(key_id=hasty.id).update(rate_limit=1)
    assert call(hasty, "GET", MEMBERS, label="mpls").status_code == 200
    table: dict[str, tuple[Key | None, tuple[int, str]]] = {
        "none": (None, (401, "AuthenticationRequired")),
        "unknown": (keys.mint(), (401, "AuthenticationRequired")),
        "revoked": (revoked, (401, "AuthenticationRequired")),
        "too often": (hasty, (429, "RateLimitExceeded")),
        "members of a feed with that label": (key_for("members", feeds=("a-mpls",)), (403, "Forbidden")),
        "everything else": (key_for("stats", "search", "cleanup"), (403, "Forbidden")),
    }
    for name, (key, expected) in table.items():
        for path, method in {ASSIGN: "PUT", UNASSIGN: "PUT", MEMBERS: "GET"}.items():
            answer = error(call(key, method, path, label="mpls", handle=MIRA.handle))
            assert (name, path, answer) == (name, path, expected)
    assert not ActorLabel.objects.exists()
    assert network.asked == []


def test_labels_change_and_are_listed_while_redis_or_clickhouse_is_away(labels_key: Key) -> None:
    with redis_away():
        _, body = said(call(labels_key, "PUT", ASSIGN, label="mpls", handle=MIRA.did))
    assert [sentence.partition(",")[0] for sentence in body["late"]] == ["Saved"]
    with clickhouse_away():
        _, body = said(call(labels_key, "PUT", ASSIGN, label="mpls", handle=NOEL.did))
        assert any("ClickHouse" in sentence for sentence in body["late"])
        listed = said(call(labels_key, "GET", MEMBERS, label="mpls"))
    assert listed == (200, {"members": [{"did": MIRA.did}, {"did": NOEL.did}]})
