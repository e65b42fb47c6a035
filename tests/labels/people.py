"""Who can be looked up in the tests of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from atsite.core.atproto.syntax import Did, Handle
from labels.models import ActorLabel, Label

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
#: Dids by their form, which no account can have.
IMPOSSIBLE: Final = (
    "did:plc:short",
    MIRA.did[:-1],
    MIRA.did + "a",
    MIRA.did.upper().replace("DID:PLC:", "did:plc:"),
    "did:web:example.com:user:mira",
    "did:web:example.com%3A8080",
    "did:web:localhost",
    "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc",
)


def earlier(label: str, did: str) -> None:
    """Give a label to what no account can be, as versions did that did not look."""
    ActorLabel(label=Label.objects.get(name=label), did=did).save()
