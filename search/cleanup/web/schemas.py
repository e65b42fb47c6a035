"""Bodies and answers of the API of clean-ups. Names are as in the rules (search.cleanup.planning.rules)."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Any, Final, Self

from ninja import Field, Schema
from pydantic import ConfigDict, StrictBool, StrictInt, StrictStr

from atsite.core.config import config
from search.cleanup import jobs, owner_actions
from search.cleanup.planning.reasons import Reason
from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import MEDIA_HOSTS, InvalidRules, Rules
from search.cleanup.states import State

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob

#: A handle, did or address of a profile; and an app password has 19 characters.
NAME_MAX: Final = 2_100
PASSWORD_MAX: Final = 500
TOKEN_HEADER: Final = "X-Cleanup-Token"  # noqa: S105 - the name of a header


class TokenHeader(Schema):
    token: str = Field("", alias=TOKEN_HEADER, description="the token of the clean-up")


class JobId(Schema):
    job_id: str = Field(description="the id of the clean-up")


class _Body(Schema):
    """Every field is known, and has its own type: a mistake must not be taken for a rule that is left out."""

    model_config = ConfigDict(extra="forbid")


class SignInBody(_Body):
    """An app password. `identifier` may be left out: the account is that of the clean-up."""

    identifier: StrictStr | None = Field(
        None, max_length=NAME_MAX, description="handle or did, never an e-mail address"
    )
    app_password: StrictStr = Field(max_length=PASSWORD_MAX, description="xxxx-xxxx-xxxx-xxxx")


class Protections(_Body):
    """What is kept whatever its type and date; docs/cleanup.md explains each."""

    keep_pinned: StrictBool = Field(True, description="the pinned post")
    keep_self_liked: StrictBool = Field(True, description="posts that you liked yourself, and those likes")
    keep_above_likes: StrictInt | None = Field(None, description="posts with more likes than this")
    keep_replied_to: StrictBool = Field(False, description="posts that others have replied to")
    keep_texts: list[StrictStr] = Field([], description="posts whose text contains one of these")
    keep_domains: list[StrictStr] = Field([], description="posts that link to one of these, or to a subdomain")
    keep_uris: list[StrictStr] = Field([], description="the records at these at-uris")


class CleanupBody(_Body):
    """What to delete, from which account."""

    identifier: StrictStr = Field(max_length=NAME_MAX, description="handle or did, never an e-mail address")
    app_password: StrictStr = Field(max_length=PASSWORD_MAX, description="xxxx-xxxx-xxxx-xxxx")
    cleanup_types: list[StrictStr] = Field(description=f"some of {', '.join(RecordType)}")
    delete_until_days_ago: StrictInt | None = Field(None, description="older than this many days; or `delete_before`")
    delete_before: StrictStr | None = Field(None, description="older than this datetime, with a time zone")
    actually_delete_stuff: StrictBool = Field(False, description="whether the plan may be confirmed")
    protections: Protections | None = Field(None, description="what is kept")

    def rules(self) -> Rules:
        """The checked rules. Raises InvalidRules."""
        try:
            return rules_of(
                {
                    "types": self.cleanup_types,
                    "delete_until_days_ago": self.delete_until_days_ago,
                    "delete_before": self.delete_before,
                    **(self.protections or Protections.model_validate({})).dict(),
                }
            )
        except InvalidRules as error:
            # The API's own name of that field.
            raise InvalidRules(str(error).replace("types:", "cleanup_types:", 1)) from error


class ConfirmBody(_Body):
    plan_digest: StrictStr = Field(max_length=128, description="the `plan_digest` of the plan that you read")


class GoingType(Schema):
    type: str
    count: int
    examples: list[str] = Field(description="at-uris of some of them, the oldest first")


class KeptReason(Schema):
    reason: str
    sentence: str
    count: int
    examples: list[str]


class PlanAnswer(Schema):
    """What is deleted once it is confirmed, and what is kept."""

    deletes: int
    gates: int = Field(description="threadgates and postgates among the deletes, which go with their posts")
    records: int = Field(description="records that were looked at")
    going: list[GoingType] = Field(description="a record of two types counts in both")
    kept: list[KeptReason]
    oldest: str | None
    newest: str | None
    uncounted: int = Field(description="posts that are kept because a number of likes or replies is not known")
    hours: int = Field(description="how long the deleting takes at most")

    @classmethod
    def of(cls, plan: dict[str, Any]) -> Self:
        going, kept = plan.get("going_examples", {}), plan.get("kept_examples", {})
        return cls(
            **{name: plan.get(name) or 0 for name in ("deletes", "gates", "records", "uncounted", "hours")},
            oldest=plan.get("oldest"),
            newest=plan.get("newest"),
            going=[
                GoingType(type=each, count=count, examples=going.get(each, []))
                for each, count in plan.get("going_by_type", {}).items()
            ],
            kept=[
                KeptReason(reason=each, sentence=Reason(each).sentence, count=count, examples=kept.get(each, []))
                for each, count in plan.get("kept_by_reason", {}).items()
            ],
        )


class Counts(Schema):
    """Records of the plan."""

    planned: int
    done: int = Field(description="deleted, or by an undo created again")
    gone: int = Field(description="deleted by others before; of an undo: there already")
    kept: int = Field(description="kept after all: changed after the plan, or refused by the PDS")
    remaining: int


class Possible(Schema):
    """What can be done with the clean-up now."""

    confirm: bool
    cancel: bool
    sign_in: bool
    undo: bool
    download_backup: bool
    delete_backup: bool

    @classmethod
    def of(cls, job: RepoCleanupJob) -> Self:
        has_backup = job.has_backup
        waits = job.current_state is State.PLANNED and job.permitted and job.records_planned > 0
        return cls(
            confirm=waits,
            cancel=jobs.can_cancel(job),
            sign_in=waits or job.current_state is State.NEEDS_SIGN_IN,
            undo=owner_actions.can_undo(job),
            download_backup=has_backup,
            delete_backup=has_backup and not job.is_active,
        )


class CleanupAnswer(Schema):
    """A clean-up: its rules, its plan and how far it is."""

    job_id: str
    kind: str = Field(description="delete or undo")
    undoes: str | None = Field(description="the clean-up that an undo takes back")
    did: str
    handle: str
    state: str = Field(description=", ".join(State))
    status: str = Field(description="the state in words")
    reason: str = Field(description="why it waits, failed or was cancelled")
    stage: str = Field(description="what it does now")
    may_delete: bool = Field(description="whether the plan may be confirmed")
    rules: dict[str, Any]
    cut_off: datetime
    plan: PlanAnswer | None
    plan_digest: str
    records: Counts
    percent: int
    result: str = Field(description="what is left at the end, and why")
    created_at: datetime
    planned_at: datetime | None
    confirmed_at: datetime | None
    started_at: datetime | None
    next_at: datetime | None = Field(description="when it goes on")
    finished_at: datetime | None
    backup_until: datetime | None = Field(description="null: there is no backup")
    possible: Possible

    @classmethod
    def of(cls, job: RepoCleanupJob, **more: Any) -> Self:
        return cls(
            **{name: getattr(job, name) for name in _SAME},
            undoes=job.undoes.job_id if job.undoes is not None else None,
            may_delete=job.permitted,
            plan=PlanAnswer.of(job.plan) if job.plan else None,
            records=Counts(
                planned=job.records_planned,
                done=job.records_deleted,
                gone=job.records_gone,
                kept=job.records_kept,
                remaining=job.remaining,
            ),
            result=str(job.report.get("text", "")),
            backup_until=job.backup_until if job.has_backup else None,
            possible=Possible.of(job),
            **more,
        )


class StartedAnswer(CleanupAnswer):
    """A clean-up that was just made, with its secret token."""

    token: str = Field(description="shown only here; send it in the header X-Cleanup-Token")


class SumsAnswer(Schema):
    """Sums of all clean-ups of this site, at most a minute old."""

    cleanups: int
    active: int
    completed: int
    cancelled: int
    failed: int
    undone: int = Field(description="undos that are completed")
    records_deleted: int
    records_created_again: int


_SAME: Final = (
    "job_id", "kind", "did", "handle", "state", "status", "reason", "stage", "rules", "cut_off", "plan_digest",
    "percent", "created_at", "planned_at", "confirmed_at", "started_at", "next_at", "finished_at",
)  # fmt: skip


def rules_of(values: dict[str, Any]) -> Rules:
    """Rules with the media hosts of this site. Raises InvalidRules."""
    return Rules.from_json({**values, "media_hosts": list(config.cleanup.media_hosts or MEDIA_HOSTS)})
