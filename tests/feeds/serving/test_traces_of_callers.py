"""What callers of every kind leave in the stores of a running service: it ends by itself (docs/security.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from apikeys import keys
from atsite.core.atproto.keys import public_key_of
from atsite.core.clickhouse import door
from feeds.usage import interactions
from feeds.usage.interactions import Interaction
from tests.core.identity.network import document
from tests.feeds import readers
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.readers import KEY, SERVICE
from tests.feeds.service import FEED, SKELETON
from tests.tokens import key, token
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    from pytest_django.plugin import DjangoDbBlocker

#: One counter, which the site's own changes raise.
LASTING: Final = {b"atsite:publish:changes"}


def test_every_key_that_callers_leave_in_redis_ends(
    clickhouse: None, valkey: redis.Redis, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    readers.define_feeds(django_db_blocker)
    private = f"at://{PUBLISHER}/app.bsky.feed.generator/a-mpls"
    with readers.running(tmp_path) as site:
        reader = site.someone()
        web = f"did:web:localhost%3A{site.network.port}"
        site.network.answers["/.well-known/did.json"] = document(web, "w.test", public_key_of(KEY).multibase)
        bearers = [
            *(token(KEY, iss=issuer, aud=SERVICE) for issuer in (reader, web, readers.new_did(), "did:web:localhost")),
            *("garbage", token(key(6), iss=reader, aud=SERVICE)),
        ]
        statuses = [
            site.service.http.get(
                SKELETON, params={"feed": feed, **cursor}, headers={"Authorization": f"Bearer {bearer}"}
            ).status_code
            for feed in (FEED, private, f"{FEED}x")
            for cursor in ({}, {"cursor": "invented"})
            for bearer in bearers
        ]
        assert {200, 400, 401} <= set(statuses)
        for invented in ("garbage", keys.mint().text):
            answer = site.service.http.get("/label_members", params={"label": "x"}, headers={"X-API-Key": invented})
            assert answer.status_code == 401
        assert site.send({"feed": FEED, "interactions": [{"event": "invented"}]}, iss=reader).status_code == 200
        until(lambda: valkey.keys("atsite:feeds:interactions:*"))
        until(lambda: door.scalar("SELECT count() FROM feed_interactions", name="tests.count"))
    names = [name for name in valkey.keys("*") if isinstance(name, bytes) and name not in LASTING]
    found = {name: int(valkey.pttl(name)) for name in names}
    assert {name: rest for name, rest in found.items() if rest < 0} == {}
    kinds = {name.split(b":")[1] for name in found}
    assert kinds >= {b"did", b"readers", b"jti", b"rate", b"feeds", b"cache"}


def test_an_interaction_ends_after_thirty_days(clickhouse: None) -> None:
    now = datetime.now(UTC)
    for days in (29, 32):
        interactions.store([Interaction(now - timedelta(days=days), days, "f", "", "", "", "", "s")])
    # ClickHouse drops an expired part in the background.
    until(lambda: door.column("SELECT id FROM feed_interactions", name="tests.ids") == [29])
