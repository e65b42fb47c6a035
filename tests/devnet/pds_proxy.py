"""A proxy before the network's PDS and PLC directory, whose strings a test pulls: it cuts, fails, waits and lies."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx

from tests.search.cleanup.ruled_server import Answer, RuledServer, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.devnet.network import Network
    from tests.search.cleanup.ruled_server import Call

#: Headers of answers that are passed on.
_PASSED: Final = (
    "content-type",
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit-policy",
)


class PdsProxy(RuledServer):
    """The PDS of all accounts, as far as the did documents that it answers say."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._pds = network.pds_url
        self._plc = network.plc_url
        self._http = httpx.Client(timeout=60, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def document(self, did: str) -> Answer:
        """The network's document with this proxy in place of the PDS."""
        response = self._http.get(f"{self._plc}/{did}")
        document = response.json()
        for service in document.get("service", ()):
            service["serviceEndpoint"] = self.url
        return Answer(response.status_code, document)

    def done(self, call: Call) -> Answer:
        """What the PDS answers."""
        headers = {"authorization": call.authorization} if call.authorization else {}
        if call.raw:
            headers["content-type"] = "application/json"
        response = self._http.request(call.verb, f"{self._pds}{call.target}", content=call.raw or None, headers=headers)
        passed = {name: response.headers[name] for name in _PASSED if name in response.headers}
        return Answer(response.status_code, response.content, passed)

    def repo_of(self, did: str) -> bytes:
        """The whole repo of an account, as a CAR file."""
        return self._http.get(f"{self._pds}/xrpc/com.atproto.sync.getRepo", params={"did": did}).content


@contextmanager
def before_pds(network: Network) -> Iterator[PdsProxy]:
    """A proxy at `proxy.url`, which is also the address of the PLC directory."""
    proxy = PdsProxy(network)
    with listening(proxy):
        try:
            yield proxy
        finally:
            proxy.close()
