"""HTTP endpoints of the feed generator for programs with an API key: the members of labels.

These are not XRPC methods; they are documented at /openapi.json and /docs. The authentication is set where this router
is mounted (atsite/urls/feedgen.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse  # noqa: TC002 - ninja reads the annotations
from ninja import Query, Router

from atsite.core.web.auth import Principal, Scope, principal_of, require
from atsite.core.web.documented import FAILURES, example
from atsite.core.web.xrpc import PRIVATE
from labels import members_for_api as members
from labels.schemas import LabelChangeAnswer, LabelMemberQuery, LabelMembersQuery, MembersAnswer

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from labels.membership import Change

router = Router(tags=["labels"])

CAROL: Final = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
CHANGED: Final = {"did": CAROL, "label": "mpls", "changed": True, "late": []}
CHANGE: Final = example(CHANGED, scopes=(Scope.LABELS,), label="mpls", handle="carol.example")
LISTED: Final = {"members": [{"did": CAROL, "handle": "carol.example"}]}


@router.put(
    "/assign_label_to_user",
    response={200: LabelChangeAnswer, **FAILURES},
    summary="Add a label to an account",
    openapi_extra=CHANGE,
)
def assign_label_to_user(request: HttpRequest, parameters: Query[LabelMemberQuery]) -> LabelChangeAnswer:
    """Add a label to an account; this takes effect at once in every feed that uses it. Needs the scope `labels`.

    Repeating the call changes nothing.
    """
    key, did = _member(request, parameters)
    return _answer(did, parameters, members.assign(did, parameters.label, by=key.subject))


@router.put(
    "/unassign_label_from_user",
    response={200: LabelChangeAnswer, **FAILURES},
    summary="Remove a label from an account",
    openapi_extra=CHANGE,
)
def unassign_label_from_user(request: HttpRequest, parameters: Query[LabelMemberQuery]) -> LabelChangeAnswer:
    """Remove a label from an account; this takes effect at once. Needs the scope `labels`.

    Repeating the call changes nothing. Use the did for an account whose handle no longer resolves.
    """
    key, did = _member(request, parameters)
    return _answer(did, parameters, members.unassign(did, parameters.label, by=key.subject))


@router.get(
    "/label_members",
    response={200: MembersAnswer, **FAILURES},
    exclude_none=True,
    summary="List the members of a label, or look up one account",
    openapi_extra=example(LISTED, scopes=(Scope.LABELS,), label="mpls", limit=100),
)
def label_members(request: HttpRequest, response: HttpResponse, parameters: Query[LabelMembersQuery]) -> MembersAnswer:
    """The accounts with a label, in order of did. With `handle`, only that account, if it has the label.

    Needs the scope `labels`.
    """
    response["Cache-Control"] = PRIVATE
    require(principal_of(request), Scope.LABELS)
    members.require_label(parameters.label)
    only = None if parameters.handle is None else async_to_sync(members.did_of)(parameters.handle)
    page = members.page(parameters.label, limit=parameters.limit, cursor=parameters.cursor, only=only)
    return MembersAnswer.of(page)


def _member(request: HttpRequest, parameters: LabelMemberQuery) -> tuple[Principal, Did]:
    """The caller and the member's did. The handle is looked up only after the key and the label were checked."""
    principal = principal_of(request)
    require(principal, Scope.LABELS)
    members.require_label(parameters.label)
    return principal, async_to_sync(members.did_of)(parameters.handle)


def _answer(did: Did, parameters: LabelMemberQuery, change: Change) -> LabelChangeAnswer:
    return LabelChangeAnswer(did=did, label=parameters.label, changed=change.changed, late=list(change.late))
