"""The addresses of the page, below /cleanup/."""

from __future__ import annotations

from typing import Final

from django.urls import path

from atsite.core.web.page_files import PageFile, serving
from search.cleanup.web.page import views

#: The files that pages load.
FILES: Final = {
    "cleanup.css": PageFile("cleanup/cleanup.css", "text/css"),
    "cleanup.js": PageFile("cleanup/cleanup.js", "text/javascript"),
    "icon.svg": PageFile("atsite/icon.svg", "image/svg+xml"),
}

app_name = "cleanup"
urlpatterns = [
    path("", views.start, name="start"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("choose/", views.choose, name="choose"),
    path("files/<str:name>", serving(FILES), name="file"),
    path("<slug:job_id>/", views.job, name="job"),
    path("<slug:job_id>/confirm/", views.confirm, name="confirm"),
    path("<slug:job_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:job_id>/sign-in/", views.sign_in_again, name="sign_in_again"),
    path("<slug:job_id>/backup/", views.backup, name="backup"),
    path("<slug:job_id>/backup/delete/", views.delete_backup, name="delete_backup"),
    path("<slug:job_id>/undo/", views.undo, name="undo"),
]
