"""The admin of actors that are not indexed: add one with a reason, or allow indexing again by deleting the row.

Here and not in `indexer`, because actors are entered as members are: by handle, did or the address of a profile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.utils import timezone

from atsite.core.atproto.syntax import Did
from atsite.core.copies.admin import DecisionAdmin
from atsite.core.roles import Right, may
from indexer.admin.columns import Named
from indexer.index import do_not_index
from indexer.index.models import RefusedActor
from labels.admin.forms import ActorToRefuseField

if TYPE_CHECKING:
    from django.http import HttpRequest


class RefusedActorForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    did = ActorToRefuseField()

    class Meta:
        model = RefusedActor
        fields = ("did", "note")


@admin.register(RefusedActor)
class RefusedActorAdmin(Named, DecisionAdmin):
    form = RefusedActorForm
    list_display = ("who", "note", "created_by", "created_at")
    search_fields = ("did", "note")
    fields = ("did", "note", "created_by", "created_at")
    readonly_fields = ("created_by", "created_at")
    fixed_fields = ("did",)
    actions = None
    url_rights = {"indexer_refusedactor_add": Right.PURGE_AUTHOR, "indexer_refusedactor_delete": Right.PURGE_AUTHOR}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Right.PURGE_AUTHOR)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Right.PURGE_AUTHOR)

    def save_model(self, request: HttpRequest, obj: RefusedActor, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        done = do_not_index.exclude(Did(obj.did), by=request.user.get_username(), note=obj.note, now=timezone.now())
        stored = RefusedActor.objects.get(did=obj.did)
        obj.__dict__.update(pk=stored.pk, id=stored.pk, created_by=stored.created_by, created_at=stored.created_at)
        obj._state.adding = False
        if not done.hidden:
            messages.warning(
                request,
                "ClickHouse does not answer: what is indexed is deleted within a minute after it answers again.",
            )

    def delete_model(self, request: HttpRequest, obj: RefusedActor) -> None:
        do_not_index.include(Did(obj.did))
        messages.info(
            request,
            "This actor is indexed again from now on. Deleted records come back only after the repo is fetched again."
            " A block of this actor stays until you remove it.",
        )
