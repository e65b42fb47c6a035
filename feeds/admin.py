"""The feeds of the site, as forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from atsite.config import config
from atsite.errors import InvalidSyntax
from atsite.publish.admin import DecisionAdmin
from feeds import post_address
from feeds.data import FeedData
from feeds.definitions import definition_of
from feeds.feed import InvalidDefinition
from feeds.kinds import KINDS, made
from feeds.models import URI_MAX, FeedDefinition, PinnedPost


class PostField(forms.CharField):
    """A post, by its link or at-uri; the at-uri by did is what is stored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=URI_MAX,
            help_text=f"{post_address.EXAMPLE}, or an at-uri.",
            widget=UnfoldAdminTextInputWidget(attrs={"size": 80}),
            **options,
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return str(post_address.read(text)) if text else ""
        except InvalidSyntax as error:
            raise ValidationError(str(error)) from error


class FeedForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    kind = forms.ChoiceField(choices=[(name, name) for name in KINDS], widget=UnfoldAdminSelectWidget)
    pinned_post = PostField(required=False)
    instructions_post = PostField(required=False)

    class Meta:
        model = FeedDefinition
        fields = (
            "rkey",
            "publisher",
            "kind",
            "parameters",
            "display_name",
            "description",
            "visibility",
            "instructions_post",
            "pinned_post",
            "enabled",
        )


class PinnedPostForm(forms.ModelForm):  # type: ignore[type-arg]
    uri = PostField(label="post")

    class Meta:
        model = PinnedPost
        fields = ("position", "uri")


class PinnedPostInline(TabularInline):  # type: ignore[misc]
    """The list of a static feed; other kinds do not look at it."""

    model = PinnedPost
    form = PinnedPostForm
    extra = 1


@admin.register(FeedDefinition)
class FeedDefinitionAdmin(DecisionAdmin):
    form = FeedForm
    inlines = (PinnedPostInline,)
    list_display = ("rkey", "display_name", "kind", "parameters", "visibility", "enabled", "problem")
    list_filter = ("kind", "visibility", "enabled")
    search_fields = ("rkey", "display_name", "description")

    @admin.display(description="why it is not served", empty_value="")
    def problem(self, row: FeedDefinition) -> str:
        """Nothing where it is served."""
        if not row.enabled:
            return "switched off"
        if not (row.publisher or config.feed_actor_did):
            return "FEED_ACTOR_DID is not set"
        try:
            made(definition_of(row, config), FeedData())
        except InvalidDefinition as error:
            return str(error)
        return ""
