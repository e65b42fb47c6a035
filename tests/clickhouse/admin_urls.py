"""An admin of its own, with the two read models of the tests."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from atsite.clickhouse.admin import ReadOnlyAdmin, register
from tests.clickhouse.read_models import SampleActor, SampleLike

site = admin.AdminSite(name="admin")


@register(SampleLike, site=site)
class SampleLikeAdmin(ReadOnlyAdmin):
    list_display = ("rkey", "did", "subject_uri")
    search_prefix_fields = ("rkey", "did")


@register(SampleActor, site=site)
class SampleActorAdmin(ReadOnlyAdmin):
    list_display = ("did", "handle")
    search_prefix_fields = ("did",)


urlpatterns = [path("admin/", site.urls)]
