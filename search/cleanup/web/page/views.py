"""The views of the page. Each form posts, then the browser is sent to a page that can be loaded again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from atsite.core.web.auth import client_address
from atsite.core.web.xrpc import XrpcError
from search.cleanup import owner_actions
from search.cleanup.access import sessions
from search.cleanup.web.downloads import download
from search.cleanup.web.errors import translated
from search.cleanup.web.owner import signed_in, signed_in_for
from search.cleanup.web.page import person as people
from search.cleanup.web.page.forms import AppPassword, Choose, SignIn
from search.cleanup.web.page.frame import shown, view
from search.cleanup.web.page.job_page import context_of
from search.cleanup.web.schemas import Possible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from search.cleanup.models import PdsSession, RepoCleanupJob
    from search.cleanup.web.page.person import Person

#: What `requested_by` says.
THE_PAGE = "the page"


@require_GET
@view
def start(request: HttpRequest) -> HttpResponse:
    """The way to where a person left off."""
    person = people.of(request.session)
    if person is None:
        return shown(request, "sign_in", form=SignIn())
    job = person.active_job()
    return _to_job(job) if job is not None else HttpResponseRedirect(reverse("cleanup:choose"))


@require_POST
@view
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with handle and app password."""
    form = SignIn(request.POST)
    if not form.is_valid():
        return shown(request, "sign_in", status=400, form=form)
    people.sign_out(request.session)
    try:
        with translated():
            owner_actions.check_offered()
            given = form.cleaned_data
            found, row = signed_in(given["identifier"], given["app_password"], address=client_address(request))
    except XrpcError as error:
        form.add_error(None, sentence(error))
        return shown(request, "sign_in", status=error.status, form=form)
    people.sign_in(request.session, found, row)
    return HttpResponseRedirect(reverse("cleanup:start"))


@require_POST
@view
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session of the page. A clean-up that was confirmed goes on."""
    people.sign_out(request.session)
    return HttpResponseRedirect(reverse("cleanup:start"))


@require_http_methods(["GET", "POST"])
@view
def choose(request: HttpRequest) -> HttpResponse:
    """What to delete and what to keep."""
    person = people.of(request.session)
    if person is None:
        return HttpResponseRedirect(reverse("cleanup:start"))
    latest, asks = person.latest_job(), person.unused_session() is None
    if request.method != "POST":
        initial = Choose.initial_of(latest.rules, permitted=latest.permitted) if latest and latest.rules else None
        form, password = Choose(initial=initial), AppPassword()
        return shown(request, "choose", person=person, latest=latest, form=form, password=password, asks=asks)
    request.session.set_expiry(people.MINUTES * 60)
    form, password = Choose(request.POST), AppPassword(request.POST)
    # Both, so that all mistakes are named at once.
    status = 400
    if all([form.is_valid(), not asks or password.is_valid()]):
        try:
            with translated():
                owner_actions.check_offered(person.did)
                with _session_for(request, person, password if asks else None) as session:
                    job, _ = owner_actions.create(
                        session,
                        person.handle,
                        form.rules,
                        permitted=form.cleaned_data["purpose"] == "delete",
                        requested_by=THE_PAGE,
                        address=client_address(request),
                    )
            return _to_job(job)
        except XrpcError as error:
            form.add_error(None, sentence(error))
            status = error.status
    return shown(
        request, "choose", status=status, person=person, latest=latest, form=form, password=password, asks=asks
    )


@require_GET
@view
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    """A clean-up: its plan, its progress, its end."""
    person, row = _own(request, job_id)
    if person is None or row is None:
        return HttpResponseRedirect(reverse("cleanup:start"))
    return shown(request, "job", **context_of(person, row))


@require_POST
@view
def confirm(request: HttpRequest, job_id: str) -> HttpResponse:
    """Confirm the plan by typing the handle."""

    def act(person: Person, row: RepoCleanupJob) -> None:
        typed = request.POST.get("handle", "").strip().removeprefix("@")
        if typed.casefold() != person.name.casefold():
            raise XrpcError("InvalidRequest", f"Type {person.name} to confirm")
        if Possible.of(row).confirm and (session := person.unused_session()) is not None:
            # They signed in after the plan was made, so its own session may have ended.
            owner_actions.sign_in_again(row, session, address=client_address(request))
        owner_actions.confirm(row, request.POST.get("plan_digest", ""), address=client_address(request))

    return _acted(request, job_id, act)


@require_POST
@view
def cancel(request: HttpRequest, job_id: str) -> HttpResponse:
    """Cancel the clean-up."""
    return _acted(request, job_id, lambda person, row: owner_actions.cancel(row, address=client_address(request)))


@require_POST
@view
def sign_in_again(request: HttpRequest, job_id: str) -> HttpResponse:
    """Give the clean-up a new session."""

    def act(person: Person, row: RepoCleanupJob) -> None:
        with _session_for(request, person, _password(request, person)) as session:
            owner_actions.sign_in_again(row, session, address=client_address(request))

    return _acted(request, job_id, act)


@require_GET
@view
def backup(request: HttpRequest, job_id: str) -> HttpResponse:
    """Download the backup."""
    person, row = _own(request, job_id)
    if person is None or row is None:
        return HttpResponseRedirect(reverse("cleanup:start"))
    try:
        with translated():
            return download(row)  # type: ignore[return-value]  # it streams
    except XrpcError as error:
        return shown(request, "job", status=error.status, **context_of(person, row, problem=sentence(error)))


@require_POST
@view
def delete_backup(request: HttpRequest, job_id: str) -> HttpResponse:
    """Delete the backup of this site."""

    def act(person: Person, row: RepoCleanupJob) -> None:
        owner_actions.delete_backup(row, address=client_address(request))

    return _acted(request, job_id, act)


@require_POST
@view
def undo(request: HttpRequest, job_id: str) -> HttpResponse:
    """Create the deleted records again."""

    def act(person: Person, row: RepoCleanupJob) -> RepoCleanupJob:
        if not Possible.of(row).undo:
            raise XrpcError("NotPossible", "this clean-up cannot be undone", 409)
        with _session_for(request, person, _password(request, person)) as session:
            address = client_address(request)
            return owner_actions.undo(row, session, requested_by=THE_PAGE, address=address)[0]

    return _acted(request, job_id, act)


def sentence(error: XrpcError) -> str:
    """The message of an error as a sentence."""
    text = error.message[:1].upper() + error.message[1:]
    return text if text.endswith(".") else f"{text}."


def _own(request: HttpRequest, job_id: str) -> tuple[Person | None, RepoCleanupJob | None]:
    """The person, and the clean-up, which is of their account. Raises Http404 for any other."""
    person = people.of(request.session)
    if person is None:
        return None, None
    row = person.job(job_id)
    if row is None:
        raise Http404
    return person, row


def _acted(request: HttpRequest, job_id: str, act: Callable[[Person, RepoCleanupJob], Any]) -> HttpResponse:
    """The page of the job after the action (of the job that the action returned), or with what was wrong."""
    person, row = _own(request, job_id)
    if person is None or row is None:
        return HttpResponseRedirect(reverse("cleanup:start"))
    request.session.set_expiry(people.MINUTES * 60)
    try:
        with translated():
            made = act(person, row)
    except XrpcError as error:
        row.refresh_from_db()
        return shown(request, "job", status=error.status, **context_of(person, row, problem=sentence(error)))
    return _to_job(made if made is not None else row)


def _password(request: HttpRequest, person: Person) -> AppPassword | None:
    """The form of the app password; None if the sign-in still has an unused session. Raises XrpcError."""
    if person.unused_session() is not None:
        return None
    form = AppPassword(request.POST)
    if not form.is_valid():
        raise XrpcError("InvalidRequest", "enter an app password")
    return form


@contextmanager
def _session_for(request: HttpRequest, person: Person, password: AppPassword | None) -> Iterator[PdsSession]:
    """A session of the person: that of the sign-in, or a new one. Raises SignInRefused, NotPossible."""
    if password is None:
        row = person.unused_session()
        if row is None:
            raise sessions.SessionGone("your sign-in has expired, enter your app password again")
        yield row
        return
    given = password.cleaned_data["app_password"]
    with signed_in_for(person.did, given, address=client_address(request)) as (_, row):
        yield row


def _to_job(row: RepoCleanupJob) -> HttpResponse:
    return HttpResponseRedirect(reverse("cleanup:job", args=[row.job_id]))
