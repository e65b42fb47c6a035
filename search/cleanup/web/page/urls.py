"""The addresses of the page, below /cleanup/."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from atsite.core.config import BASE_DIR
from search.cleanup.web.page import views

#: The files that pages load; few and small, so nothing is needed that serves folders.
ASSETS: Final = {
    "cleanup.css": ("cleanup", "text/css"),
    "cleanup.js": ("cleanup", "text/javascript"),
    "icon.svg": ("atsite", "image/svg+xml"),
}


def asset(request: HttpRequest, name: str) -> HttpResponse:
    """One of ASSETS."""
    if name not in ASSETS:
        raise Http404
    folder, kind = ASSETS[name]
    return HttpResponse((BASE_DIR / "static" / folder / name).read_bytes(), content_type=kind)


app_name = "cleanup"
urlpatterns = [
    path("", views.start, name="start"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("choose/", views.choose, name="choose"),
    path("files/<str:name>", asset, name="file"),
    path("<slug:job_id>/", views.job, name="job"),
    path("<slug:job_id>/confirm/", views.confirm, name="confirm"),
    path("<slug:job_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:job_id>/sign-in/", views.sign_in_again, name="sign_in_again"),
    path("<slug:job_id>/backup/", views.backup, name="backup"),
    path("<slug:job_id>/backup/delete/", views.delete_backup, name="delete_backup"),
    path("<slug:job_id>/undo/", views.undo, name="undo"),
]
