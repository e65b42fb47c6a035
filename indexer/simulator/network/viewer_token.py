"""Makes a service token of an account of a saved network, as its PDS would give it to the AppView."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.clock import now_us
from indexer.simulator.errors import SimulatorError
from indexer.simulator.network.events import Network
from indexer.simulator.network.identities import Identities
from indexer.simulator.network.saved_network import load
from indexer.simulator.network.service_tokens import LIFETIME_SECONDS, service_token

if TYPE_CHECKING:
    from pathlib import Path


def viewer_token(folder: Path, handle: str, *, audience: str, method: str) -> str:
    """A token with which the account called `handle` may call `method` (an NSID) at the service did `audience`.

    `folder` has the network. The token is valid for an hour. Raises SimulatorError without such a network or account.
    """
    identities = Identities(Network(load(folder)))
    now = now_us()
    did = identities.did(handle.lower(), now)
    if did is None:
        raise SimulatorError(f"no account of the demo is {handle} now; {identities.example(now)} is one")
    return service_token(
        identities.key(did),
        issuer=did,
        audience=audience,
        method=method,
        now=now // 1_000_000,
        seconds=LIFETIME_SECONDS,
    )
