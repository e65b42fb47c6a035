"""What the endpoints with API key take and give about labels, and what those of feeds share with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from ninja import Field, Schema

from atsite.core.atproto.syntax import DID_MAX
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations
from labels.models import LABEL_MAX

if TYPE_CHECKING:
    from labels.label_members import CarrierPage

CARRIERS_MAX: Final = 1000


class Failure(Schema):
    """`error` is for programs (InvalidRequest, UnknownFeed, Forbidden, …), `message` for people."""

    error: str
    message: str


#: Every answer that says no has this form.
FAILURES: Final = dict.fromkeys((400, 401, 403, 429, 502, 503), Failure)


class CarrierQuery(Schema):
    label: str = Field(max_length=LABEL_MAX, description="name of the label, such as mpls")
    handle: str = Field(max_length=DID_MAX, description="handle or did")


class CarriersQuery(Schema):
    label: str = Field(max_length=LABEL_MAX, description="name of the label, such as mpls")
    handle: str | None = Field(None, max_length=DID_MAX, description="handle or did: answer for this account only")
    limit: WholeNumber = Field(100, ge=1, le=CARRIERS_MAX)
    cursor: str | None = Field(None, description="as the page before gave it")


class LabelChangeAnswer(Schema):
    did: str
    label: str
    changed: bool = Field(description="false: so it was before")
    late: list[str] = Field(description="sentences about where the change is seen a little later; mostly none")


class MemberAnswer(Schema):
    did: str
    handle: str | None = Field(None, description="left out where it is not known")


class MembersAnswer(Schema):
    members: list[MemberAnswer]
    cursor: str | None = Field(None, description="left out on the last page")

    @classmethod
    def of(cls, page: CarrierPage) -> Self:
        return cls(
            members=[MemberAnswer(did=carrier.did, handle=carrier.handle) for carrier in page.carriers],
            cursor=page.cursor,
        )
