"""From what the stream tells of identities to a search by handle: events and the fill as they are, and the service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from django.test import override_settings

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.config import config
from indexer.fill import run
from labels import membership
from labels.models import Label
from tests.builders import ago, micros
from tests.core.identity import network as networks
from tests.indexer import frames
from tests.indexer.conftest import index
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.search.service import SEARCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.core.identity.network import Network
    from tests.search.service import Service

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

IDA, JON = Did(frames.did(1)), Did(frames.did(2))


@pytest.fixture(autouse=True)
def _stores(clickhouse: None, valkey: redis.Redis) -> None:
    """Empty ones."""


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A directory, a PDS and a handle server that know what a test tells them; the fill asks them."""
    with networks.in_a_thread() as found:
        asked = replace(config, appview_url="", plc_url=found.url, handle_resolver_url=found.url)
        monkeypatch.setattr(run, "config", asked)
        monkeypatch.setattr("atsite.core.identity.resolver.config", asked)
        yield found


def tell(network: Network, did: Did, handle: str) -> None:
    """From now on the account has this handle."""
    pds = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": network.url}
    network.answers[f"/{did}"] = networks.document(did, handle) | {"service": [pds]}
    network.answers[f"/xrpc/com.atproto.identity.resolveHandle?handle={handle}"] = {"did": did}
    query = urlencode({"repo": did, "collection": "app.bsky.actor.profile", "rkey": "self"})
    network.answers[f"/xrpc/com.atproto.repo.getRecord?{query}"] = {"value": {}}


def indexed(*stream: bytes) -> None:
    with simulated_jetstream(MemorySource(list(stream))) as jetstream:
        index(jetstream.url, events=len(stream))


def post_of(did: Did, text: str) -> tuple[bytes, str]:
    """The frame of a post of half a minute ago, and its at-uri."""
    at = micros(ago(seconds=30))
    rkey = tid_of_micros(at)
    return frames.post(did, rkey, text, at=at), f"at://{did}/app.bsky.feed.post/{rkey}"


@override_settings(FILL_SOURCES=["labels.actors_to_fill.labelled_actors"])
def test_an_author_is_found_by_a_handle_that_no_event_named(service: Service, network: Network) -> None:
    tell(network, IDA, "old.hill.test")
    Label.objects.create(name="friends")
    membership.assign("friends", IDA, by="test")
    assert run.fill() == 1
    post, uri = post_of(IDA, "quagga")
    indexed(frames.identity(IDA, "", at=micros(ago(minutes=1))), post)
    assert service.found("quagga", author="old.hill.test") == [uri]

    tell(network, IDA, "ida.hill.test")
    assert run.fill() == 1
    for author in ("ida.hill.test", "Ida.Hill.Test", "https://bsky.app/profile/ida.hill.test"):
        assert service.found("quagga", author=author) == [uri]
    assert service.refused(SEARCH, q="quagga", author="old.hill.test")[0] == 400


def test_an_author_is_found_by_a_handle_in_any_case(service: Service) -> None:
    post, uri = post_of(IDA, "serval")
    indexed(frames.identity(IDA, "Ida.Hill.Test", at=micros(ago(minutes=1))), post)
    for author in ("ida.hill.test", "Ida.Hill.Test", "\u202aIDA.hill.test\u202c"):
        assert service.found("serval", author=author) == [uri]


def test_handle_invalid_is_no_author(service: Service) -> None:
    ida, jon = (post_of(did, "serval")[0] for did in (IDA, JON))
    indexed(*(frames.identity(did, "handle.invalid", at=micros(ago(minutes=1))) for did in (IDA, JON)), ida, jon)
    status, error, message = service.refused(SEARCH, q="serval", author="handle.invalid")
    assert (status, error) == (400, "InvalidRequest")
    assert message.startswith("author: handle.invalid names no account")


def test_a_handle_that_another_account_took_finds_the_posts_of_that_one_alone(service: Service) -> None:
    (ida, _), (jon, uri) = post_of(IDA, "serval"), post_of(JON, "serval")
    events = [
        frames.identity(did, "hill.test", at=micros(ago(minutes=minutes))) for did, minutes in ((IDA, 9), (JON, 5))
    ]
    indexed(*events, ida, jon)
    assert service.found("serval", author="hill.test") == [uri]
    indexed(frames.identity(JON, "jon.test", at=micros(ago(minutes=1))))
    assert service.found("serval", author="jon.test") == [uri]
    assert service.refused(SEARCH, q="serval", author="hill.test")[0] == 400
