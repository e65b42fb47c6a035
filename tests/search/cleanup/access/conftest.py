"""A network with an account, and its PDS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.search.cleanup.access.network import Network, running_network

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pds() -> Iterator[Network]:
    with running_network() as network:
        yield network
