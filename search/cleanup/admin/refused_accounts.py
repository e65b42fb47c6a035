"""The admin of accounts whose clean-ups are refused: add one with a reason, or delete the row to allow them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages

from indexer.admin.columns import Named
from labels.admin.forms import ActorToRefuseField
from search.cleanup.admin.searching import SearchedByAccount
from search.cleanup.models import RefusedAccount, RepoCleanupJob
from search.cleanup.states import GRAPH

if TYPE_CHECKING:
    from django.http import HttpRequest


class RefusedAccountForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    did = ActorToRefuseField()

    class Meta:
        model = RefusedAccount
        fields = ("did", "note")


@admin.register(RefusedAccount)
class RefusedAccountAdmin(SearchedByAccount, Named):
    form = RefusedAccountForm
    list_display = ("who", "note", "created_by", "created_at")
    search_fields = ("did", "note")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The account is entered once; who refused it, and when, is known once the row exists."""
        return ["did", "note"] if obj is None else ["who", "note", "created_by", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Django drops a field that the form declares only where it is read-only, shown or not.
        return [] if obj is None else ["who", "did", "created_by", "created_at"]

    def save_model(self, request: HttpRequest, obj: RefusedAccount, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)
        if not change and RepoCleanupJob.objects.filter(did=obj.did, state__in=GRAPH.active).exists():
            messages.warning(
                request,
                "This account has a clean-up that has not ended: it writes nothing more after its current batch.",
            )
