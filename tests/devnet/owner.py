"""The owner of an account on the network, in a client of their own: straight at the PDS, not through a proxy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from atsite.core.outgoing import Client
from atsite.core.pds import Create, Delete, Pds
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from atsite.core.pds import Write
    from tests.devnet.network import Account, Network

T = TypeVar("T")
BATCH = 200


class Owner:
    """Writes to their own repo with their main password's session."""

    def __init__(self, network: Network, name: str) -> None:
        self.network = network
        self.name = name
        self.account: Account = network.account(name)
        self.app_password = self.account.app_password
        self._session = self._ask(lambda pds: pds.create_session(self.account.did, f"{name}-pass"))

    @property
    def did(self) -> str:
        return self.account.did

    def uri(self, path: str) -> str:
        return f"at://{self.did}/{path}"

    def ref(self, path: str) -> dict[str, str]:
        """A strong reference to one of their records."""
        return {"uri": self.uri(path), "cid": self.repo()[path]}

    def repo(self) -> dict[str, str]:
        """The CID of each record by collection/rkey, as the PDS lists them."""
        start = len(f"at://{self.did}/")
        held = self.network.truth().get(self.did, {})
        return {uri[start:]: record["cid"] for records in held.values() for uri, record in records.items()}

    def values(self) -> dict[str, dict[str, Any]]:
        """The value of each record by collection/rkey."""
        start = len(f"at://{self.did}/")
        held = self.network.truth().get(self.did, {})
        return {uri[start:]: record["value"] for records in held.values() for uri, record in records.items()}

    def create(self, records: Mapping[str, dict[str, Any]]) -> None:
        """Create records by collection/rkey; `$type` is added."""
        parts = {path: path.split("/") for path in records}
        self._write(
            Create(parts[path][0], parts[path][1], {"$type": parts[path][0], **value})
            for path, value in records.items()
        )

    def delete(self, *paths: str) -> None:
        """Delete records that there are."""
        self._write(Delete(*path.split("/")) for path in paths)

    def edit(self, path: str, **changes: Any) -> None:
        """Change fields of a record."""
        collection, _, rkey = path.partition("/")
        value = self._ask(lambda pds: pds.get_record(self.did, collection, rkey))
        assert value is not None, path
        where = {"repo": self.did, "collection": collection, "rkey": rkey, "validate": False}
        self._call("com.atproto.repo.putRecord", **where, record={**value, **changes})

    def revoke(self) -> None:
        """Revoke the app password."""
        self._call("com.atproto.server.revokeAppPassword", name="lab")

    def new_app_password(self) -> None:
        """Make another app password under the same name."""
        self.app_password = str(self._call("com.atproto.server.createAppPassword", name="lab")["password"])

    def event(self, action: str) -> None:
        """`takedown`, `untakedown`, `deactivate`, `activate`."""
        self.network.ask("POST", "/account-event", account=self.name, action=action)

    def _write(self, writes: Iterable[Write]) -> None:
        left = list(writes)
        for _ in steps():
            if not left:
                return
            some, left = left[:BATCH], left[BATCH:]
            self._ask(lambda pds, some=some: pds.apply_writes(self._session, some, swap_commit=""))  # type: ignore[misc]

    def _call(self, method: str, **content: Any) -> Any:
        headers = {"authorization": f"Bearer {self._session.access_token}"}
        response = self.network.pds.post(f"/xrpc/{method}", json=content, headers=headers)
        assert response.status_code == 200, response.text
        return response.json() if response.content else None

    def _ask(self, question: Callable[[Pds], Coroutine[Any, Any, T]]) -> T:
        async def ask() -> T:
            async with Client(loopback=True) as client:
                return await question(Pds(client, self.network.pds_url))

        return asyncio.run(ask())
