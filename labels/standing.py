"""What the pages of a label's feed depend on: whether their reader has the label, and the version of the label.

Readers who ask at the same time share one question to Redis. Nothing is remembered: each answer was read after its
reader asked, so a label given or taken away holds with the next request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from atsite.core.batched import Batched
from atsite.core.copies.redis_cache import Entry
from atsite.core.kv import quick
from labels import label_versions
from labels.models import MEMBERSHIPS, membership_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from atsite.core.atproto.syntax import Did

#: Questions of one batch: an answer of some kilobytes, in a fraction of a millisecond.
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """`is_member` is None where it was not asked. `version`: of the label, changed with its members."""

    label: str
    is_member: bool | None
    version: bytes


class _Question(NamedTuple):
    label: str
    #: None: only the version is asked for.
    did: Did | None


class Standings:
    """For one event loop."""

    def __init__(self) -> None:
        self._batched: Batched[_Question, Standing | None] = Batched(self._ask, size=AT_ONCE)

    async def of(self, label: str, did: Did | None) -> Standing | None:
        """The standing of `did`; None if Redis cannot say: ask labels.membership, and keep nothing."""
        return await self._batched.ask(_Question(label, did))

    async def _ask(self, questions: Sequence[_Question]) -> Mapping[_Question, Standing | None]:
        try:
            return await asyncio.to_thread(_read, questions)
        except quick.RedisAway:
            return dict.fromkeys(questions)


def _read(questions: Sequence[_Question]) -> dict[_Question, Standing | None]:
    """Raises RedisAway."""
    labels = sorted({question.label for question in questions})
    readers = [question for question in questions if question.did is not None]
    keys = [label_versions.version_key(label) for label in labels]
    keys += [MEMBERSHIPS.redis_key(membership_key(label, str(did))) for label, did in readers]
    values = cast("list[bytes | None]", quick.ask(lambda client: client.mget(keys)))
    versions = dict(zip(labels, values, strict=False))
    missing = [label for label, version in versions.items() if version is None]
    if missing:
        label_versions.begin(missing)
    entries = dict(zip(readers, values[len(labels) :], strict=True))
    return {question: _standing(question, versions[question.label], entries.get(question)) for question in questions}


def _standing(question: _Question, version: bytes | None, entry: bytes | None) -> Standing | None:
    if version is None or (question.did is not None and entry is None):
        return None
    is_member = None if entry is None else Entry.decoded(entry).value is not None
    return Standing(question.label, is_member, version)
