"""Looks up what a query names: its words as the index cuts them, in the store, and its accounts.

An account is looked up in the index, then in the network. All functions are synchronous and may wait.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import Did, Handle, is_did
from atsite.core.config import config
from atsite.core.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.core.outgoing import Client
from atsite.core.token_bucket import TokenBucket
from indexer.index.handles import UNLOGGED, dids_of_handles
from indexer.index.query.cutting import cuts_of
from indexer.index.query.parse import TERMS_MAX, BadQuery
from indexer.index.query.resolved import Resolved
from indexer.index.query.tree import ACCOUNTS, ME, And, Filter, Key, Not, Or, Phrase, Word, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from indexer.index.query.resolved import Cut
    from indexer.index.query.tree import Node

#: How long the network may take to tell whose a handle is; a reader waits.
NETWORK_SECONDS: Final = 2.0
#: Handles of one query that the network is asked about.
NETWORK_HANDLES_MAX: Final = 5
#: Of all queries of a process, in a second and at once: anyone can name any handle.
NETWORK_RATE, NETWORK_BURST = 5.0, 20
_NETWORK: Final = TokenBucket(rate=NETWORK_RATE, burst=NETWORK_BURST)
_LOCK: Final = threading.Lock()


class UnknownAccount(BadQuery):
    """A filter names an account that cannot be found; `key`: the filter, `reason`: the message without it."""

    def __init__(self, named: Filter, reason: str) -> None:
        super().__init__(f"{named.key}: {reason}", named.at)
        self.key = named.key
        self.reason = reason


def resolve(node: Node, *, viewer: Did | None = None) -> Resolved:
    """What the store can be asked. `viewer`: the account that `me` means; None refuses it.

    Raises BadQuery (UnknownAccount) and what the door raises.
    """
    cuts = cuts_of(_texts(node))
    kept = _kept(node, cuts)
    if kept is None:
        raise BadQuery("there is no word in the query")
    terms = sum(len(cut.words) + len(cut.runs) for cut in cuts.values())
    if terms > TERMS_MAX:
        raise BadQuery(f"the query has {terms} words, at most {TERMS_MAX} are searched for")
    return Resolved(_with_dids(kept, _dids(kept, viewer)), cuts)


def _texts(node: Node) -> list[str]:
    """What is cut: words, phrases and tags."""
    found = []
    for leaf in leaves(node):
        match leaf:
            case Word(text) | Phrase(text) | Filter(Key.TAG, text):
                found.append(text)
    return found


def _kept(node: Node, cuts: Mapping[str, Cut]) -> Node | None:
    """The tree without texts that are nothing to the index, such as a lone dash."""
    match node:
        case Word(text) | Phrase(text):
            return None if cuts[text].is_empty else node
        case Not(part):
            kept = _kept(part, cuts)
            return None if kept is None else Not(kept)
        case And(parts) | Or(parts):
            some = [kept for part in parts if (kept := _kept(part, cuts)) is not None]
            if len(some) > 1:
                return replace(node, parts=tuple(some))
            return some[0] if some else None
        case _:
            return node


def _account_filters(node: Node) -> Iterator[Filter]:
    return (leaf for leaf in leaves(node) if isinstance(leaf, Filter) and leaf.key in ACCOUNTS)


def _dids(node: Node, viewer: Did | None) -> Mapping[str, Did]:
    """The did of each account that is named. Raises BadQuery."""
    named = {each.value: each for each in _account_filters(node)}
    if ME in named and viewer is None:
        raise UnknownAccount(named[ME], f"{ME} needs a reader who is signed in")
    dids = {ME: viewer} if viewer is not None else {}
    dids |= {name: Did(name) for name in named if is_did(name)}
    handles = named.keys() - dids.keys()
    dids |= dids_of_handles(handles, limits=UNLOGGED)
    unknown = sorted(handles - dids.keys(), key=lambda name: named[name].at)
    for name, did in zip(unknown, _ask_network(unknown), strict=True):
        if did is None:
            raise UnknownAccount(
                named[name], f"no account has the handle {name}, or it cannot be found now; give the did"
            )
        dids[name] = did
    return dids


def _with_dids(node: Node, dids: Mapping[str, Did]) -> Node:
    match node:
        case Filter(key, value) if key in ACCOUNTS:
            return replace(node, value=str(dids[value]))
        case Not(part):
            return Not(_with_dids(part, dids))
        case And(parts) | Or(parts):
            return replace(node, parts=tuple(_with_dids(part, dids) for part in parts))
        case _:
            return node


def _ask_network(handles: list[str]) -> list[Did | None]:
    """Whose these handles are, by the network, in NETWORK_SECONDS; None for one that it did not tell."""
    if not handles:
        return []
    with _LOCK:
        asked = len(handles) <= NETWORK_HANDLES_MAX and all(
            _NETWORK.take_within(monotonic(), 0) is not None for _ in handles
        )
    if not asked:
        return [None] * len(handles)
    return asyncio.run(_identified(handles))


async def _identified(handles: list[str]) -> list[Did | None]:
    async with Client(loopback=config.allow_loopback) as client:
        resolver = site_resolver(client)

        async def one(handle: str) -> Did | None:
            try:
                async with asyncio.timeout(NETWORK_SECONDS):
                    return (await resolver.identify(Handle(handle))).did
            except (NoSuchIdentity, LookupFailed, TimeoutError):
                return None

        return await asyncio.gather(*map(one, handles))
