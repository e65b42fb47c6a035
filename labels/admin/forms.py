"""The forms of members, blocks and bulk changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from atsite.core.atproto.aturi import SCHEME, AtUri
from atsite.core.atproto.syntax import Did, is_did
from atsite.core.identity.account_server import ServerFailed
from indexer.index import pasted_identifiers
from indexer.index.pasted_identifiers import NotAnActor
from labels import account_lookup, bulk_plan, feed_names, network_lists
from labels.admin.names import called
from labels.bulk_plan import MAX_LINES, TooMany
from labels.models import ActorLabel, Block, Label

#: Maximum size of an uploaded file: enough for MAX_LINES long lines.
FILE_BYTES = 1_000_000
#: Pages of a hundred list items of an owner that are read: twice as many as one change may have lines.
LIST_PAGES = 100


class ActorField(forms.CharField):
    """A did, entered as a handle, a did or the address of a profile. `found` is the actor of the last clean."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Actor",
            max_length=4_000,
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
            help_text="A handle, a did, or the address of a profile: alice.bsky.social, did:plc:…, "
            "https://bsky.app/profile/alice.bsky.social.",
            **options,
        )
        self.found: account_lookup.Actor | None = None

    def clean(self, value: Any) -> str:
        try:
            self.found = account_lookup.find(super().clean(value))
        except NotAnActor as error:
            raise ValidationError(str(error)) from error
        return self.found.did


class ActorToRefuseField(ActorField):
    """As ActorField, but a did is not looked up: the account may be deleted, and come back."""

    def clean(self, value: Any) -> str:
        try:
            actor = pasted_identifiers.actor(str(value or ""))
        except NotAnActor as error:
            raise ValidationError(str(error)) from error
        return actor if is_did(actor) else super().clean(actor)


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    did = ActorField()

    class Meta:
        model = ActorLabel
        fields = ("did", "label", "note")

    def clean(self) -> dict[str, Any]:
        """Reject an actor that has the label already, with its name instead of the database's message."""
        cleaned = dict(super().clean() or {})
        did, label = cleaned.get("did"), cleaned.get("label")
        if did and label and ActorLabel.objects.filter(did=did, label=label).exists():
            found = self.fields["did"].found  # type: ignore[attr-defined]
            who = f"@{found.handle}" if found.handle else called(did)
            self.add_error("did", f"{who} already has the label {label}.")
        return cleaned


class SubjectField(ActorField):
    """The subject of a block: an actor, or a post by its at-uri or address."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.label = "Actor or post"
        self.help_text = "An actor: a handle, a did, or the address of a profile. Or one post: its at-uri or address."

    def clean(self, value: Any) -> str:
        text = str(value or "")
        try:
            record = pasted_identifiers.record(text)
        except NotAnActor as error:
            raise ValidationError(str(error)) from error
        if record is None:  # the model refuses at-uris of anything else
            return text.strip() if pasted_identifiers.visible(text).startswith(SCHEME) else super().clean(text)
        did = record.actor if is_did(record.actor) else Did(super().clean(record.actor))
        return str(AtUri(did, record.collection, record.rkey))


class BlockForm(forms.ModelForm):  # type: ignore[type-arg]
    subject = SubjectField()
    feed = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget(), label="Where")

    class Meta:
        model = Block
        fields = ("subject", "feed", "note")
        labels = {"subject": "Actor or post", "feed": "Where"}  # also where the page is only looked at

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["feed"].choices = feed_names.choices(self.instance.feed)  # type: ignore[attr-defined]


class BulkForm(forms.Form):
    """A list of actors, pasted or as a file."""

    label = forms.ModelChoiceField(
        Label.objects.all(), to_field_name="name", widget=UnfoldAdminSelectWidget(), empty_label="Choose a label"
    )
    actors = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text=f"One account per line, at most {MAX_LINES:,}: a handle, a did or a profile address. You can paste a "
        "CSV as it is: its column did or handle is read.",
    )
    file = forms.FileField(required=False, help_text="Or choose a CSV or text file.")
    note = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget(), help_text="Kept with each member that is added."
    )

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        cleaned["text"] = _text(cleaned)
        try:
            if not bulk_plan.parse_lines(cleaned["text"]):
                raise ValidationError({"actors": "Paste at least one account, or choose a file."})
        except TooMany as error:
            raise ValidationError({"actors": str(error)}) from error
        return cleaned


class ListForm(forms.Form):
    """A list of the network whose members get a label. `found` is the list of the last clean."""

    label = forms.ModelChoiceField(
        Label.objects.all(), to_field_name="name", widget=UnfoldAdminSelectWidget(), empty_label="Choose a label"
    )
    address = forms.CharField(
        label="List",
        max_length=4_000,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=f"The address of a list, such as {network_lists.EXAMPLE}, or its at-uri.",
    )
    note = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Kept with each member that is added. Empty: the name and the at-uri of the list.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.found: network_lists.ListPage | None = None

    def clean_address(self) -> str:
        """Read the list from the server of its owner, which takes up to half a minute."""
        text = str(self.cleaned_data["address"])
        try:
            self.found = network_lists.read_all(network_lists.list_in(text), pages=LIST_PAGES)
        except network_lists.NotAList as error:
            raise ValidationError(str(error)) from error
        except (ServerFailed, network_lists.TooManyItems) as error:
            raise ValidationError(f"The list cannot be read: {error}.") from error
        number = len(self.found.members)
        if not number:
            raise ValidationError("This list has no members.")
        if number > MAX_LINES:
            raise ValidationError(f"The list has {number:,} members, and at most {MAX_LINES:,} are added at once.")
        return text


def _text(cleaned: dict[str, Any]) -> str:
    file = cleaned.get("file")
    if file is None:
        return str(cleaned.get("actors") or "")
    if file.size > FILE_BYTES:
        raise ValidationError({"file": f"The file is larger than {FILE_BYTES // 1000:,} KB: split it into parts."})
    return bytes(file.read()).decode("utf-8", "replace")
