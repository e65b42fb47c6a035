"""The server (PDS) of an account that a caller named, and what its refusals mean to that caller."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from atsite.core.atproto.syntax import Handle, is_account_did, is_did
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.identity.documents import LookupFailed, NoSuchIdentity
from atsite.core.identity.resolver import site_resolver
from atsite.core.outgoing import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did
    from atsite.core.outgoing import Client
    from atsite.core.pds import PdsError

#: Errors of a PDS for a repo that it does not give to anyone.
ABSENT: Final = {
    "RepoNotFound": "the server (PDS) of this account does not have its repo",
    "RepoDeactivated": "the owner of this account deactivated it",
    "RepoSuspended": "the server (PDS) of this account suspended it",
    "RepoTakendown": "the server (PDS) of this account took it down",
}
UPSTREAM, SLOW, LARGE = "UpstreamFailure", "UpstreamTimeout", "TooLarge"


class ServerFailed(AtsiteError):
    """The account or its server gives no usable answer; the message is a sentence for the caller.

    `name` and `status`: those of an XRPC error. `wait`: seconds until the next try, 0 where none is known.
    """

    def __init__(self, name: str, message: str, status: int, wait: float = 0.0) -> None:
        super().__init__(message)
        self.name = name
        self.status = status
        self.wait = wait


class AccountServer(NamedTuple):
    """Where the repo of an account is, and the key that signs it."""

    did: Did
    endpoint: str
    key: PublicKey


async def did_of(client: Client, actor: Did | Handle) -> Did:
    """The did of an account, whose handle is verified. Raises ServerFailed as `server_of`."""
    if is_did(actor):
        return actor
    with _translated():
        return (await site_resolver(client).identify(Handle(actor))).did


async def server_of(client: Client, actor: Did | Handle) -> AccountServer:
    """The server of an account as its did document is now: accounts move, and keys are rotated.

    Raises ServerFailed: 404 where there is no such account, 502 where the network does not answer.
    """
    if is_did(actor) and not is_account_did(actor, loopback=config.allow_loopback):
        raise ServerFailed("InvalidRequest", "no account can have this did", 400)
    did = await did_of(client, actor)
    with _translated():
        return _usable(await site_resolver(client).document(did, fresh=True))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except NoSuchIdentity as error:
        raise ServerFailed("AccountNotFound", "there is no account with this name", 404) from error
    except LookupFailed as error:
        raise ServerFailed(UPSTREAM, "the account cannot be looked up now, try again later", 502) from error


def fetch_failure(error: FetchFailed) -> ServerFailed:
    """What it means that a server's answer cannot be had."""
    if error.reason == "timeout":
        return ServerFailed(SLOW, "the server (PDS) of this account is too slow", 504)
    if error.reason == "too_large":
        return ServerFailed(LARGE, "the server (PDS) of this account sends more than this service reads", 502)
    return ServerFailed(UPSTREAM, "the server (PDS) of this account cannot be reached", 502)


def refusal_of(error: PdsError) -> ServerFailed:
    """What a server's refusal of a read means. The server's own words are not repeated."""
    if isinstance(error.__cause__, FetchFailed):
        return fetch_failure(error.__cause__)
    if error.name in ABSENT:
        return ServerFailed(error.name, ABSENT[error.name], 404)
    if error.name == "NotFound" or (error.status == 400 and "Could not find" in str(error)):
        return ServerFailed("RepoNotFound", ABSENT["RepoNotFound"], 404)
    if error.status == 429:
        return ServerFailed(UPSTREAM, "the server (PDS) of this account asks to wait", 502, error.wait or 60.0)
    return ServerFailed(UPSTREAM, "the server (PDS) of this account does not answer as it should", 502)


def _usable(document: DidDocument) -> AccountServer:
    try:
        parts = urlsplit(document.pds or "")
        is_host = bool(parts.hostname) and not (parts.path or parts.query or parts.fragment)
    except ValueError:
        is_host = False
    if document.pds is None or document.signing_key is None or not is_host:
        raise ServerFailed("RepoNotFound", "the did document of this account names no server (PDS) or no key", 404)
    return AccountServer(document.did, document.pds, document.signing_key)
