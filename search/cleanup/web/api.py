"""The API of clean-ups: with the token of a clean-up you may see it and act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest, StreamingHttpResponse  # noqa: TC002 - ninja reads the annotations
from ninja import Header, Path, Query, Router, Status

from atsite.core.web.auth import client_address
from atsite.core.web.documented import example, failures
from atsite.core.web.xrpc import XrpcError
from search.cleanup import owner_actions
from search.cleanup.web import examples, sums
from search.cleanup.web.downloads import download
from search.cleanup.web.errors import translated
from search.cleanup.web.owner import job_of_token, signed_in_for
from search.cleanup.web.schemas import (
    TOKEN_HEADER,
    CleanupAnswer,
    CleanupBody,
    ConfirmBody,
    JobId,
    SignInBody,
    StartedAnswer,
    SumsAnswer,
    TokenHeader,
)

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob

router = Router(tags=["clean-ups"])

#: What `requested_by` says.
THE_API: Final = "the API"


@router.post(
    "/repo/cleanup",
    response={202: StartedAnswer, **failures(400, 401, 403, 409, 429, 502, 503)},
    summary="Plan a clean-up",
    openapi_extra=example(examples.STARTED, body=examples.BODY),
)
def plan(request: HttpRequest, body: CleanupBody) -> Status[StartedAnswer]:
    """Plan what would be deleted from a repo. Nothing is deleted before the plan is confirmed.

    The answer has the id of the clean-up and its secret token, once. The plan follows in a few seconds or minutes. An
    earlier clean-up of the account that was not confirmed is replaced.
    """
    address = client_address(request)
    with translated():
        owner_actions.check_offered()
        rules = body.rules()
        with signed_in_for(body.identifier, body.app_password, address=address) as (found, session):
            job, token = owner_actions.create(
                session,
                found.handle,
                rules,
                permitted=body.actually_delete_stuff,
                requested_by=THE_API,
                address=address,
            )
    return Status(202, StartedAnswer.of(job, token=token))


@router.get(
    "/repo/cleanup",
    response={200: CleanupAnswer, **failures(400, 401, 404)},
    summary="See a clean-up",
    openapi_extra=example(examples.JOB, headers=examples.HEADERS, job_id=examples.ID),
)
def see(request: HttpRequest, query: Query[JobId], sent: Header[TokenHeader]) -> CleanupAnswer:
    """A clean-up with its plan and its progress."""
    return CleanupAnswer.of(_job(query.job_id, sent))


@router.delete(
    "/repo/cleanup",
    response={200: CleanupAnswer, **failures(400, 401, 404, 409)},
    summary="Cancel a clean-up",
    openapi_extra=example(examples.JOB, headers=examples.HEADERS, job_id=examples.ID),
)
def cancel(request: HttpRequest, query: Query[JobId], sent: Header[TokenHeader]) -> CleanupAnswer:
    """Cancel a clean-up. If it deletes at this moment, it ends after the current batch of at most 200 records."""
    job = _job(query.job_id, sent)
    with translated():
        return CleanupAnswer.of(owner_actions.cancel(job, address=client_address(request)))


@router.get(
    "/repo/cleanup/stats",
    response={200: SumsAnswer, **failures(503)},
    summary="Sums of all clean-ups",
    openapi_extra=example(examples.SUMS),
)
def stats(request: HttpRequest) -> SumsAnswer:
    """How many clean-ups there were, and how many records they deleted. Nothing of a single clean-up."""
    return sums.current()


@router.post(
    "/repo/cleanup/{job_id}/confirm",
    response={200: CleanupAnswer, **failures(400, 401, 403, 404, 409, 503)},
    summary="Confirm the plan of a clean-up",
    openapi_extra=example(
        examples.JOB, headers=examples.HEADERS, body={"plan_digest": examples.DIGEST}, job_id=examples.ID
    ),
)
def confirm(request: HttpRequest, path: Path[JobId], body: ConfirmBody, sent: Header[TokenHeader]) -> CleanupAnswer:
    """Confirm the plan with this digest. Deleting begins ten minutes later; until then, nothing is lost by a cancel.

    409 `PlanChanged` if the digest is another, `NotPermitted` for a clean-up without `actually_delete_stuff`. If the
    session has ended meanwhile, the state is `needs_sign_in`.
    """
    job = _job(path.job_id, sent)
    with translated():
        return CleanupAnswer.of(owner_actions.confirm(job, body.plan_digest, address=client_address(request)))


@router.post(
    "/repo/cleanup/{job_id}/sign-in",
    response={200: CleanupAnswer, **failures(400, 401, 403, 404, 409, 429, 502, 503)},
    summary="Sign in again",
    openapi_extra=example(examples.JOB, headers=examples.HEADERS, body=examples.SIGN_IN, job_id=examples.ID),
)
def sign_in(request: HttpRequest, path: Path[JobId], body: SignInBody, sent: Header[TokenHeader]) -> CleanupAnswer:
    """Give a clean-up a new session of its account; it goes on with the same plan.

    Needed when the state is `needs_sign_in`, such as after the app password was revoked.
    """
    job, address = _job(path.job_id, sent), client_address(request)
    with translated():
        owner_actions.check_offered(job.did)
        with signed_in_for(body.identifier or job.did, body.app_password, address=address) as (_, session):
            return CleanupAnswer.of(owner_actions.sign_in_again(job, session, address=address))


@router.get(
    "/repo/cleanup/{job_id}/backup",
    response={200: None, **failures(401, 404, 409, 503)},
    summary="Download the backup",
    openapi_extra=example(None, headers=examples.HEADERS, job_id=examples.ID),
)
def backup(request: HttpRequest, path: Path[JobId], sent: Header[TokenHeader]) -> StreamingHttpResponse:
    """The repo as it was before the first delete: a CAR file (application/vnd.ipld.car)."""
    job = _job(path.job_id, sent)
    with translated():
        return download(job)


@router.delete(
    "/repo/cleanup/{job_id}/backup",
    response={200: CleanupAnswer, **failures(401, 404, 409)},
    summary="Delete the backup",
    openapi_extra=example(examples.JOB, headers=examples.HEADERS, job_id=examples.ID),
)
def delete_backup(request: HttpRequest, path: Path[JobId], sent: Header[TokenHeader]) -> CleanupAnswer:
    """Delete the backup of this site. The clean-up cannot be undone after that."""
    job = _job(path.job_id, sent)
    with translated():
        return CleanupAnswer.of(owner_actions.delete_backup(job, address=client_address(request)))


@router.post(
    "/repo/cleanup/{job_id}/undo",
    response={202: StartedAnswer, **failures(400, 401, 403, 404, 409, 429, 502, 503)},
    summary="Undo a clean-up",
    openapi_extra=example(examples.UNDO, headers=examples.HEADERS, body=examples.SIGN_IN, job_id=examples.ID),
)
def undo(request: HttpRequest, path: Path[JobId], body: SignInBody, sent: Header[TokenHeader]) -> Status[StartedAnswer]:
    """Create the records again that an ended clean-up deleted, while its backup lasts: a job with a token of its own.

    Likes, reposts and replies of others, and images and videos that the PDS removed, do not come back.
    """
    job, address = _job(path.job_id, sent), client_address(request)
    with translated():
        owner_actions.check_offered(job.did)
        with signed_in_for(body.identifier or job.did, body.app_password, address=address) as (_, session):
            new, secret = owner_actions.undo(job, session, requested_by=THE_API, address=address)
    return Status(202, StartedAnswer.of(new, token=secret))


def _job(job_id: str, sent: TokenHeader) -> RepoCleanupJob:
    """Raises XrpcError: the same for an unknown id and for a wrong token."""
    if not sent.token:
        raise XrpcError("AuthenticationRequired", f"send the token of the clean-up in the header {TOKEN_HEADER}")
    job = job_of_token(job_id, sent.token)
    if job is None:
        raise XrpcError("CleanupNotFound", "there is no clean-up with this id and this token", 404)
    return job
