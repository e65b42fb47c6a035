"""Signs an owner in at their PDS with an app password, which is sent there and stored nowhere.

The account is resolved in the network, and its PDS is asked with its did. An e-mail address is sent to nobody.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from atsite.core.atproto.syntax import Did, Handle, is_account_did, is_did
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.outgoing import Client
from atsite.core.pds import Pds, PdsError, Session
from atsite.core.web.pseudonyms import pseudonym_of
from indexer.index import pasted_identifiers
from search.cleanup.access import sessions

if TYPE_CHECKING:
    from atsite.core.atproto.did_document import DidDocument

#: Attempts in a window, of one client address for one account, and for all accounts. The official PDS itself allows 30.
WINDOW_SECONDS: Final = 300.0
PER_ACCOUNT: Final = 10
PER_ADDRESS: Final = 30
#: Sign-ins of this process at once: each waits for other servers, for up to half a minute.
AT_ONCE: Final = 32
#: The official PDS's tokens have some 300 characters; they are stored, so their length is bounded.
TOKEN_MAX: Final = 8_192
PDS_MAX: Final = 300
SCOPES: Final = frozenset({"com.atproto.appPass", "com.atproto.appPassPrivileged"})
_APP_PASSWORD: Final = re.compile(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}")

_accounts = RateLimit("cleanup-account", seconds=WINDOW_SECONDS)
_addresses = RateLimit("cleanup-address", seconds=WINDOW_SECONDS)
_slots = threading.BoundedSemaphore(AT_ONCE)


class SignInRefused(AtsiteError):
    """The sign-in did not succeed; the message is a sentence for its owner.

    `name`: the XRPC error. `status`: that of an HTTP answer. `wait`: seconds until the next try, 0 for no limit.
    """

    def __init__(self, name: str, message: str, status: int = 400, wait: float = 0.0) -> None:
        super().__init__(message)
        self.name = name
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session of an account, whose handle is verified."""

    session: Session = field(repr=False)
    pds: str
    #: "" for an account without a valid handle.
    handle: str


def sign_in(identifier: str, app_password: str, *, address: str) -> SignedIn:
    """A session for a handle or did, at the account's own PDS. Raises SignInRefused.

    `address`: the client's (atsite.core.web.auth). Blocks, for half a minute at most; not for a coroutine.
    """
    actor, password = _actor(identifier), _app_password(app_password)
    _count(_addresses, address, PER_ADDRESS)
    if not _slots.acquire(blocking=False):
        raise SignInRefused("NotEnoughResources", "Too many people sign in now. Try again in a minute.", 503, 60)
    try:
        return asyncio.run(_sign_in(actor, password, address))
    finally:
        _slots.release()


async def _sign_in(actor: Did | Handle, password: str, address: str) -> SignedIn:
    async with Client(loopback=config.allow_loopback) as client:
        document = await _resolved(client, actor)
        pds = _server_of(document)
        caller = pseudonym_of(f"{document.did} {address}", purpose="cleanup.sign-in", secret_key=config.secret_key)
        await asyncio.to_thread(_count, _accounts, caller.hex(), PER_ACCOUNT)
        server = Pds(client, pds)
        try:
            session = await server.create_session(document.did, password)
        except PdsError as error:
            raise _in_words(error) from error
        if (refusal := _why_refused(session, document.did)) is not None:
            await asyncio.to_thread(sessions.sign_out, session, pds)
            raise refusal
        return SignedIn(session=session, pds=pds, handle=document.handle or "")


async def _resolved(client: Client, actor: Did | Handle) -> DidDocument:
    """The document of the account as it is now; its handle, if it has one, points back to it."""
    resolver = site_resolver(client)
    try:
        did = actor if is_did(actor) else (await resolver.identify(Handle(actor))).did
        document = await resolver.document(Did(did), fresh=True)
        if not is_did(actor) and document.handle != actor:
            raise NoSuchIdentity(f"{actor} no longer points to this account")
    except NoSuchIdentity as error:
        raise SignInRefused("AccountNotFound", f"There is no account with the name {actor}. Check it.") from error
    except LookupFailed as error:
        message = "Your account cannot be looked up now: the network does not answer. Try again in a few minutes."
        raise SignInRefused("UpstreamFailure", message, 502) from error
    return document


def _server_of(document: DidDocument) -> str:
    """The address of the account's PDS: https, a host alone."""
    schemes = ("https", "http") if config.allow_loopback else ("https",)
    try:
        parts = urlsplit(document.pds or "")
        usable = parts.scheme in schemes and bool(parts.hostname) and not (parts.path or parts.query or parts.fragment)
    except ValueError:
        usable = False
    if document.pds is None or not usable or len(document.pds) > PDS_MAX:
        raise SignInRefused(
            "NoServer", "Your account names no server (PDS) that can be used: it needs an https address."
        )
    return document.pds


def _why_refused(session: Session, did: Did) -> SignInRefused | None:
    """Why the session cannot be used."""
    if session.did != did:
        message = "The server (PDS) of your account answered with another account, so nothing was done."
        return SignInRefused("WrongAccount", message, 502)
    if session.status:
        return _inactive(session.status)
    if max(len(session.access_token), len(session.refresh_token)) > TOKEN_MAX:
        return SignInRefused("UpstreamFailure", "The server (PDS) of your account gave a token that is too long.", 502)
    if session.scope not in SCOPES:
        message = "That is not an app password. The session was ended. Make an app password and sign in with it."
        return SignInRefused("NotAnAppPassword", message)
    return None


def _inactive(status: str) -> SignInRefused:
    if status == "deactivated":
        message = "Your account is deactivated. Activate it first, then sign in here again."
        return SignInRefused("AccountDeactivated", message)
    message = "Your account is not active at its server (PDS), so nothing can be deleted from it here."
    return SignInRefused("AccountTakedown" if status == "takendown" else "AccountInactive", message)


def _in_words(error: PdsError) -> SignInRefused:
    """What a refusal of the PDS means."""
    if error.name == "AuthFactorTokenRequired":
        message = "The server (PDS) asks for a code from an e-mail, so that was not an app password. Make one first."
        return SignInRefused(error.name, message, 401)
    if error.name == "AccountTakedown":
        message = "Your account was taken down at its server (PDS), so nothing can be deleted from it here."
        return SignInRefused(error.name, message, 403)
    if error.name == "AccountDeactivated":
        return _inactive("deactivated")
    if error.status == 429:
        message = f"The server (PDS) of your account has counted too many sign-ins. Try again {_in(error.wait or 300)}."
        return SignInRefused("RateLimitExceeded", message, 429, error.wait or 300)
    if error.status in (400, 401, 403):
        message = "The server (PDS) of your account does not accept this app password. Check it, or make a new one."
        return SignInRefused("AuthenticationRequired", message, 401)
    message = "The server (PDS) of your account does not answer as it should. Try again in a few minutes."
    return SignInRefused("UpstreamFailure", message, 502)


def _actor(text: str) -> Did | Handle:
    text = text.strip()
    if "@" in text.removeprefix("@"):
        message = "Give your handle, such as alice.bsky.social, not your e-mail address. It was not sent anywhere."
        raise SignInRefused("InvalidIdentifier", message)
    try:
        actor = pasted_identifiers.actor(text)
    except pasted_identifiers.NotAnActor as error:
        raise SignInRefused("InvalidIdentifier", f"Give your handle or did: {error}") from error
    if is_did(actor) and not is_account_did(actor, loopback=config.allow_loopback):
        raise SignInRefused("InvalidIdentifier", "This did cannot be that of an account.")
    return actor


def _app_password(text: str) -> str:
    text = text.strip()
    if not _APP_PASSWORD.fullmatch(text):
        message = "That is not an app password, which looks like xxxx-xxxx-xxxx-xxxx. It was not sent anywhere."
        raise SignInRefused("NotAnAppPassword", message)
    return text


def _count(limit: RateLimit, caller: str, most: int) -> None:
    if wait := limit.take(caller, most):
        raise SignInRefused("RateLimitExceeded", f"Too many sign-ins. Try again {_in(wait)}.", 429, wait)


def _in(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return f"in {minutes} minute{'' if minutes == 1 else 's'}"
