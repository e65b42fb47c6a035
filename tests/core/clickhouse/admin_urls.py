"""An admin of its own, with the two read models of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import path

from atsite.core.clickhouse.admin import ReadOnlyAdmin, register
from atsite.dashboard.admin_site import Site
from tests.core.clickhouse.read_models import SampleActor, SampleLike

if TYPE_CHECKING:
    from django.http import HttpRequest


class SampleSite(Site):
    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        return []  # the pages of the project's sidebar are not here


site = SampleSite(name="admin")


@register(SampleLike, site=site)
class SampleLikeAdmin(ReadOnlyAdmin):
    newest_first = True
    list_display = ("rkey", "did", "subject_uri")
    search_prefix_fields = ("rkey", "did")


@register(SampleActor, site=site)
class SampleActorAdmin(ReadOnlyAdmin):
    list_display = ("did", "handle")
    search_prefix_fields = ("did",)


urlpatterns = [path("admin/", site.urls)]
