"""The keys of many dids that this site has without the network: from Redis, else from `default`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.identity import proven_readers
from atsite.core.identity.did_cache import document_key, unpacked
from atsite.core.identity.documents import NoSuchIdentity
from atsite.core.kv.quick import RedisAway

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import redis

    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.atproto.keys import PublicKey
    from atsite.core.atproto.syntax import Did
    from atsite.core.kv.quick import Asking


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one did. `document` is the cached one, and may have no key. With neither, ask the network."""

    document: DidDocument | None = None
    stored_key: PublicKey | None = None
    #: Why the did does not exist, if that is cached.
    absent: str | None = None
    #: Whether it has sent a valid token before.
    proven: bool = False


def look_up(
    dids: Sequence[Did],
    cache: Asking | None,
    read_stored: Callable[[Collection[Did]], Mapping[Did, PublicKey]],
) -> dict[Did, Known]:
    """What is known of each of `dids`. Blocks. A store that is unavailable counts as empty."""
    known = {did: _remembered(did, *answer) for did, answer in zip(dids, _from_redis(dids, cache), strict=True)}
    missing = [did for did, one in known.items() if one.document is None and one.absent is None]
    stored = read_stored(missing) if missing else {}
    return known | {did: Known(stored_key=key, proven=known[did].proven) for did, key in stored.items()}


def _from_redis(dids: Sequence[Did], cache: Asking | None) -> list[tuple[bytes | None, float | None]]:
    """For each did the cached document, and the time of its last valid token."""

    def ask(client: redis.Redis) -> list[tuple[bytes | None, float | None]]:
        pipeline = client.pipeline(transaction=False)
        for did in dids:
            pipeline.get(document_key(did))
        proven_readers.ask(pipeline, dids)
        answers = pipeline.execute()
        return list(zip(answers[: len(dids)], answers[len(dids) :], strict=True))

    nothing: list[tuple[bytes | None, float | None]] = [(None, None)] * len(dids)
    if cache is None:
        return nothing
    try:
        return cache.ask(ask)
    except RedisAway:
        return nothing


def _remembered(did: Did, text: bytes | None, score: float | None) -> Known:
    proven = proven_readers.is_proven(score)
    try:
        return Known(document=unpacked(did, None if text is None else text.decode()), proven=proven)
    except NoSuchIdentity as absent:
        return Known(absent=str(absent), proven=proven)
