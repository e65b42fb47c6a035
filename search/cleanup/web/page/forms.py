"""The forms of the page, as rules (search.cleanup.planning.rules)."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Final

from django import forms

from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import LIST_MAX, NUMBER_MAX, InvalidRules, Rules
from search.cleanup.web.schemas import rules_of

if TYPE_CHECKING:
    from datetime import date

TYPES: Final = {
    RecordType.POST: "Posts",
    RecordType.POST_WITH_MEDIA: "Posts with images or video",
    RecordType.REPLY: "Replies",
    RecordType.QUOTE: "Quote posts",
    RecordType.REPOST: "Reposts",
    RecordType.LIKE: "Likes",
}
_TEXT_MAX: Final = 100_000
_TWO_WAYS: Final = "Give either a number of days or a date, not both."
_LINES: Final = {"rows": 2, "spellcheck": "false"}


class AppPassword(forms.Form):
    app_password = forms.CharField(
        label="App password",
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "xxxx-xxxx-xxxx-xxxx"}),
        error_messages={"required": "Enter an app password."},
    )


class SignIn(AppPassword):
    identifier = forms.CharField(
        label="Handle",
        max_length=2_100,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"required": "Enter your handle."},
    )
    field_order = ("identifier", "app_password")


class Choose(forms.Form):
    """What to delete and what to keep. After `is_valid`, `rules` has the rules."""

    types = forms.MultipleChoiceField(
        label="Which records",
        choices=[(str(kind), name) for kind, name in TYPES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    days = forms.IntegerField(label="Older than this many days", min_value=0, max_value=NUMBER_MAX, required=False)
    before = forms.DateField(
        label="Or older than this day (UTC)", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    keep_pinned = forms.BooleanField(label="Keep my pinned post", required=False, initial=True)
    keep_self_liked = forms.BooleanField(label="Keep posts that I liked myself", required=False, initial=True)
    keep_replied_to = forms.BooleanField(label="Keep posts that others have replied to", required=False)
    keep_above_likes = forms.IntegerField(
        label="Keep posts with more likes than", min_value=0, max_value=NUMBER_MAX, required=False
    )
    keep_texts = forms.CharField(
        label="Keep posts that contain one of these texts, one a line",
        required=False,
        max_length=_TEXT_MAX,
        widget=forms.Textarea(attrs=_LINES),
    )
    keep_domains = forms.CharField(
        label="Keep posts with a link to one of these domains, one a line",
        required=False,
        max_length=_TEXT_MAX,
        widget=forms.Textarea(attrs=_LINES),
    )
    keep_uris = forms.CharField(
        label="Keep the records at these addresses (at://…), one a line",
        required=False,
        max_length=_TEXT_MAX,
        widget=forms.Textarea(attrs=_LINES),
    )
    purpose = forms.ChoiceField(
        label="Then",
        choices=[
            ("show", "Only show me what would be deleted"),
            ("delete", "Let me delete it after I have seen the plan and confirmed it"),
        ],
        initial="show",
        widget=forms.RadioSelect,
    )
    rules: Rules

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        days, before = given.get("days"), given.get("before")
        if not self.errors and (days is None) == (before is None):
            self.add_error("days", _TWO_WAYS if before else "Enter a number of days or a date.")
        if not self.errors:
            try:
                self.rules = rules_of(_values(given))
            except InvalidRules as error:
                name, _, text = str(error).partition(": ")
                self.add_error(name if name in self.fields else None, text[:1].upper() + text[1:] + ".")
        return given

    @staticmethod
    def initial_of(rules: dict[str, Any], *, permitted: bool) -> dict[str, Any]:
        """The choices of an earlier clean-up."""
        known = Rules.from_json(rules)
        lists = {name: "\n".join(sorted(getattr(known, name))) for name in _LISTS}
        same = {name: getattr(known, name) for name in _SAME}
        return {
            "types": [str(kind) for kind in known.types],
            "days": known.delete_until_days_ago,
            "before": known.delete_before.date() if known.delete_before else None,
            "purpose": "delete" if permitted else "show",
            **lists,
            **same,
        }


_LISTS: Final = ("keep_texts", "keep_domains", "keep_uris")
_SAME: Final = ("keep_pinned", "keep_self_liked", "keep_replied_to", "keep_above_likes")


def _values(given: dict[str, Any]) -> dict[str, Any]:
    lists = {name: _lines(given[name]) for name in _LISTS}
    before: date | None = given["before"]
    return {
        "types": given["types"],
        "delete_until_days_ago": given["days"],
        "delete_before": None if before is None else datetime.combine(before, time(), UTC).isoformat(),
        **{name: given[name] for name in _SAME},
        **lists,
    }


def _lines(text: str) -> list[str]:
    """The lines that are not empty; at most one more than there may be."""
    return [line.strip() for line in text.splitlines() if line.strip()][: LIST_MAX + 1]
