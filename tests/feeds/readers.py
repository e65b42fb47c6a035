"""A running feed generator with readers: a directory of dids on loopback, and tokens that their PDS would sign."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

from django.apps import apps

from atsite.core.atproto.keys import public_key_of
from feeds.usage.interactions import SEND
from tests.core.identity import network as networks
from tests.core.identity.network import Network, document
from tests.feeds import service as services
from tests.feeds.service import FEED, SKELETON
from tests.tokens import key, token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from pytest_django.plugin import DjangoDbBlocker

    from tests.feeds.service import Service

SERVICE = "did:web:feeds.example.com"
KEY = key(5)
DEADLINE_SECONDS = 60
_numbers = count()


@dataclass
class Site:
    """A running feed generator and the directory that it asks."""

    service: Service
    network: Network
    dids: list[str] = field(default_factory=list)

    def someone(self, *, handle: str = "reader.test") -> str:
        """A did that was never seen before, with a document."""
        did = new_did()
        self.introduce(did, handle=handle)
        return did

    def introduce(self, did: str, *, handle: str = "reader.test") -> None:
        """Give `did` a document, and let the service learn of it.

        It gives a key one second, and looks up a few new readers a second: who comes too early reads as nobody.
        """
        self.dids.append(did)
        self.network.answers[f"/{did}"] = document(did, handle, public_key_of(KEY).multibase)
        until(lambda: self._is_known(did))

    def _is_known(self, did: str) -> bool:
        """Whether the service has the key of `did` at hand; asked with a look for anything new, which is no reading."""
        before = self.service.unverifiable()
        headers = {"Authorization": "Bearer " + token(KEY, iss=did, aud=SERVICE)}
        answer = self.service.http.get(SKELETON, params={"feed": FEED, "limit": 1}, headers=headers)
        assert answer.status_code in (200, 400, 502), answer.text  # 400: it has not learned of its feeds yet
        return self.service.unverifiable() == before

    def send(self, body: Any, *, header: str | None = None, **claims: Any) -> httpx.Response:
        """POST sendInteractions as the known reader, unless the Authorization header or claims say otherwise."""
        header = self.token(**claims) if header is None else header
        return self.service.http.post(f"/xrpc/{SEND}", json=body, headers={"Authorization": header} if header else {})

    def token(self, **claims: Any) -> str:
        """A header for sendInteractions that was never used before, good but for the claims.

        Of one known reader: so many new ones a second would be too many.
        """
        if not self.dids:
            self.someone()
        claims = {"lxm": SEND, "aud": SERVICE, "jti": f"jti-{next(_numbers)}", "iss": self.dids[0], **claims}
        return "Bearer " + token(KEY, **claims)


def new_did() -> str:
    """A did that was never seen before."""
    return "did:plc:" + "q" * 20 + "".join("abcdefghij"[int(digit)] for digit in f"{next(_numbers):04}")


@contextmanager
def running(folder: Path, **variables: str) -> Iterator[Site]:
    """A feed generator whose directory is on loopback."""
    with (
        networks.in_a_thread() as network,
        services.running(
            folder, PLC_URL=network.url, HANDLE_RESOLVER_URL=network.url, ALLOW_LOOPBACK="1", **variables
        ) as service,
    ):
        yield Site(service, network)


def define_feeds(blocker: DjangoDbBlocker) -> None:
    """The feeds that every site begins with, which a test with transactions has taken away; all are switched on."""
    with blocker.unblock():
        import_module("feeds.migrations.0104_first_feeds").add(apps, None)
        apps.get_model("feeds", "FeedDefinition").objects.update(enabled=True, waits_for_members=False)
