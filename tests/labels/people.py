"""Who can be looked up in the tests of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from atsite.core.atproto.syntax import Did, Handle

RESOLVE: Final = "/xrpc/com.atproto.identity.resolveHandle?handle="


@dataclass(frozen=True)
class Person:
    did: Did
    handle: Handle


def _person(name: str) -> Person:
    return Person(Did(f"did:plc:{name * 24}"[:32]), Handle(f"{name}.example.com"))


MIRA, NOEL, OTTO = map(_person, ("mira", "noel", "otto"))
ALL: Final = (MIRA, NOEL, OTTO)
#: A did that nobody has, and one that the directory does not tell about.
NOBODY: Final = Did("did:plc:" + "z" * 24)
