"""Labels in empty stores, and a network of a few people who can be looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import config
from atsite.core.identity import resolver
from labels import account_lookup
from tests.core.copies.conftest import label
from tests.core.identity import network as networks
from tests.labels.people import ALL, RESOLVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.core.identity.network import Network

__all__ = ["label"]


@pytest.fixture
def network(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """A directory and a handle resolver that know tests.labels.people, and nobody else."""
    with networks.in_a_thread() as found:
        for person in ALL:
            found.answers[f"/{person.did}"] = networks.document(person.did, person.handle)
            found.answers[f"{RESOLVE}{person.handle}"] = {"did": person.did}
        asked = replace(config, plc_url=found.url, handle_resolver_url=found.url)
        monkeypatch.setattr(resolver, "config", asked)
        monkeypatch.setattr(account_lookup, "config", asked)
        yield found
