"""The addresses of the public page (docs/decisions/0105-a-public-page.md)."""

from __future__ import annotations

from typing import Final

from django.urls import path

from atsite.core.web.page_files import PageFile, serving
from search.web.public import views

#: The files that pages load.
FILES: Final = {
    "public.css": PageFile("public/public.css", "text/css"),
    "icon.svg": PageFile("atsite/icon.svg", "image/svg+xml"),
}

app_name = "public"
urlpatterns = [
    path("", views.posts, name="posts"),
    path("people", views.people, name="people"),
    path("numbers", views.numbers, name="numbers"),
    path("feeds", views.feeds, name="feeds"),
    path("help", views.query_help, name="help"),
    path("page/<str:name>", serving(FILES), name="file"),
]
