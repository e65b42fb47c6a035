"""Forms of API keys: scopes and feeds are chosen, never typed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apikeys import keys, rotation
from apikeys.feed_choices import FEEDS, lacking
from apikeys.models import ApiKey
from atsite.core.web.auth import OFFERED, SCOPES, Scope

if TYPE_CHECKING:
    from collections.abc import Collection


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    #: Set when the form of a new key is shown, so that a form sent twice is recognised (ApiKeyAdmin.save_model).
    new_id = forms.CharField(required=False, widget=forms.HiddenInput, initial=keys.mint_id)
    scopes = forms.MultipleChoiceField(
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="Scopes",
    )
    feeds = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Feeds whose members the key can list and change. Only feeds with a label have members.",
    )

    class Meta:
        model = ApiKey
        fields = ("note", "user", "scopes", "feeds", "rate_limit", "expires_at")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.fields.pop("new_id", None)
        if "scopes" in self.fields:
            kept = self.instance.scopes if isinstance(self.instance.scopes, list) else []
            self.fields["scopes"].choices = _choices(kept)  # type: ignore[attr-defined]
        if "feeds" in self.fields:
            covered = self.instance.feeds if isinstance(self.instance.feeds, list) else []
            self.fields["feeds"].choices = FEEDS.choices(covered)  # type: ignore[attr-defined]

    def clean_new_id(self) -> str:
        """Raises ValidationError for an id that this form cannot have sent."""
        text: str = self.cleaned_data["new_id"]
        if text and not keys.is_id(text):
            raise ValidationError("Reload this form, then send it again.")
        return text

    def clean(self) -> dict[str, Any] | None:
        """The scope `members` needs feeds, and feeds need the scope `members`."""
        cleaned = super().clean()
        scopes, feeds = self.cleaned_data.get("scopes"), self.cleaned_data.get("feeds")
        if scopes is not None and feeds is not None:
            match lacking(scopes, feeds):
                case "feeds":
                    self.add_error("feeds", "Choose at least one feed whose members the key can change.")
                case "scopes":
                    self.add_error("scopes", f"Only a key with this scope can cover feeds: {SCOPES[Scope.MEMBERS]}.")
        return cleaned


def _choices(kept: Collection[str]) -> list[tuple[str, str]]:
    """The scopes that a key can get, and those that it has."""
    return [(scope.value, text[0].upper() + text[1:]) for scope, text in SCOPES.items() if scope in {*OFFERED, *kept}]


class RotationForm(forms.Form):
    """How long the current secret keeps working."""

    overlap = forms.TypedChoiceField(
        choices=[(str(seconds), text) for seconds, text in rotation.OVERLAPS.items()],
        coerce=lambda text: timedelta(seconds=int(text)),
        initial=str(rotation.OVERLAP_DEFAULT),
        widget=forms.RadioSelect,
        label="The current secret keeps working for",
    )
    #: The row's version when the page was opened.
    version = forms.IntegerField(widget=forms.HiddenInput)
