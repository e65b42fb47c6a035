"""Parameters and answers of the endpoints for labels; some are shared with those for feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ninja import Field, Schema

from atsite.core import page_limits
from atsite.core.atproto.syntax import DID_MAX
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations
from labels.models import LABEL_MAX

if TYPE_CHECKING:
    from labels.members_for_api import MemberPage


class LabelMemberQuery(Schema):
    label: str = Field(max_length=LABEL_MAX, description="name of the label, such as mpls")
    handle: str = Field(max_length=DID_MAX, description="handle or did")


class LabelMembersQuery(Schema):
    label: str = Field(max_length=LABEL_MAX, description="name of the label, such as mpls")
    handle: str | None = Field(None, max_length=DID_MAX, description="handle or did: answer for this account only")
    limit: WholeNumber = Field(page_limits.MEMBERS_DEFAULT, ge=1, le=page_limits.MEMBERS_MAX)
    cursor: str | None = Field(None, description="the cursor of the previous page")


class LabelChangeAnswer(Schema):
    did: str
    label: str
    changed: bool = Field(description="false: there was nothing to change")
    late: list[str] = Field(description="messages about where the change takes effect later; usually empty")


class MemberAnswer(Schema):
    did: str
    handle: str | None = Field(None, description="left out if it is not known")


class MembersAnswer(Schema):
    members: list[MemberAnswer]
    cursor: str | None = Field(None, description="left out on the last page")

    @classmethod
    def of(cls, page: MemberPage) -> Self:
        return cls(
            members=[MemberAnswer(did=member.did, handle=member.handle) for member in page.members],
            cursor=page.cursor,
        )
