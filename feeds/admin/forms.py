"""The form of a feed, made from its kind: one field for each parameter, with its help text.

An empty field is not stored, so the feed follows the default of its kind, or of the site.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.urls import reverse_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from feeds.admin import post_address, query_help, readonly
from feeds.admin.readonly import PREFIX
from feeds.kinds import KINDS
from feeds.models import DESCRIPTION_MAX, DISPLAY_NAME_MAX, URI_MAX, FeedDefinition, PinnedPost
from feeds.ranking.parameters import (
    Between,
    Flag,
    LabelName,
    OneOf,
    Parameter,
    QueryText,
    Several,
    Word,
    check_query,
    in_words,
)
from indexer.index.query.parse import BadQuery
from labels.models import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feeds.kinds.kind import Kind


class PostField(forms.CharField):
    """A post, entered as a link or an at-uri; stored as an at-uri with a did."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=URI_MAX,
            widget=UnfoldAdminTextInputWidget(),
            **{"help_text": f"{post_address.EXAMPLE}, or an at-uri.", **options},
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return str(post_address.read(text)) if text else ""
        except InvalidSyntax as error:
            raise ValidationError(str(error)) from error


class FeedForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter at run time
    """The fields of every kind; `form_of` adds those of one kind."""

    kind: ClassVar[Kind[Any]]
    #: The default of each parameter, used if nothing is stored.
    defaults: ClassVar[Mapping[str, Any]] = {}

    pinned_post = PostField(
        required=False, help_text="Shown above the first page. A link to a post, or its at-uri. Empty: none."
    )

    class Meta:
        model = FeedDefinition
        fields = ("rkey", "publisher", "display_name", "description", "visibility", "pinned_post", "enabled")
        help_texts = {
            "display_name": f"At most {DISPLAY_NAME_MAX} characters, the limit of the network.",
            "description": f"At most {DESCRIPTION_MAX} characters.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        stored = _stored(self.instance)
        for parameter in self.kind.declared:
            if (field := self.fields.get(PREFIX + parameter.name)) is not None and parameter.name in stored:
                field.initial = stored[parameter.name]
            value = stored.get(parameter.name, self.defaults.get(parameter.name))
            readonly.set_display_value(self.instance, parameter, value)

    def _post_clean(self) -> None:
        """Set the kind and the parameters from the fields before the model is validated."""
        self.instance.parameters = self._parameters_to_store()
        self.instance.kind = self.kind.name
        if not self.kind.may_be_private:
            self.instance.visibility = FeedDefinition.Visibility.PUBLIC
            self.instance.instructions_post = ""
            self.instance.waits_for_members = False
        super()._post_clean()  # type: ignore[misc]

    def _update_errors(self, errors: ValidationError) -> None:
        """Show the model's errors of fields that are not in this form as errors of the whole form.

        Unless a field has an error already: then the model's errors have the same cause and are not shown again.
        """
        found: dict[str, Any] = getattr(errors, "error_dict", {})
        not_in_form = [name for name in found if name not in (*self.fields, NON_FIELD_ERRORS)]
        of_the_whole = [error for name in not_in_form for error in found.pop(name)]
        if of_the_whole and not (self.errors or found.keys() & self.fields.keys()):
            found.setdefault(NON_FIELD_ERRORS, []).extend(of_the_whole)
        super()._update_errors(errors)  # type: ignore[misc]

    def _parameters_to_store(self) -> dict[str, Any]:
        """The parameters to store: values that are not the default, or that were stored explicitly before."""
        before = _stored(self.instance) if self.instance.kind == self.kind.name else {}
        parameters = {}
        for parameter in self.kind.declared:
            value = self.cleaned_data.get(PREFIX + parameter.name)
            if value in (None, "", []) or (value == parameter.default and parameter.name not in before):
                continue
            parameters[parameter.name] = value
        return parameters


def form_of(name: str) -> type[FeedForm]:
    """The form for feeds of the kind with this name. Reads the existing labels."""
    kind = KINDS[name]
    site = kind.site_defaults(config)
    defaults = {each.name: site.get(each.name, each.default) for each in kind.declared}
    fields: dict[str, Any] = {PREFIX + each.name: _field(each, defaults[each.name]) for each in kind.declared}
    names: tuple[str, ...] = FeedForm.Meta.fields
    if kind.may_be_private:
        fields["visibility"] = forms.ChoiceField(
            choices=[(value, text[0].upper() + text[1:]) for value, text in FeedDefinition.Visibility.choices],
            widget=UnfoldAdminRadioSelectWidget(),
            initial=FeedDefinition.Visibility.PUBLIC,
            label="Who can read it",
        )
        fields["instructions_post"] = PostField(
            required=False,
            help_text="The only post that others see in a private feed: say how to become a member. Empty: they see"
            " an empty feed.",
        )
        names = (*names, "instructions_post", "waits_for_members")
    texts = readonly.meta_texts({**FeedForm.base_fields, **fields})
    meta = type("Meta", (FeedForm.Meta,), {"fields": names, **texts})
    return type("FeedForm", (FeedForm,), {"kind": kind, "defaults": defaults, "Meta": meta, **fields})


def _field(parameter: Parameter, default: Any) -> forms.Field:
    """The form field of a parameter; an empty value means the default."""
    label = parameter.name.replace("_", " ").capitalize()
    match parameter.check:
        case Between(low, high):
            return forms.IntegerField(
                label=label,
                min_value=low,
                max_value=high,
                required=parameter.default is None,
                help_text=f"{parameter.meaning} From {low} to {high}. Empty: {default}.",
                widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": default}),
            )
        case OneOf(words):
            return forms.ChoiceField(
                label=label,
                choices=[(word, text[0].upper() + text[1:]) for word, text in words.items()],
                initial=default,
                help_text=parameter.meaning,
                widget=UnfoldAdminSelectWidget(),
            )
        case Flag():
            return forms.BooleanField(
                label=label,
                required=False,
                initial=default,
                help_text=parameter.meaning,
                widget=UnfoldBooleanSwitchWidget(),
            )
        case LabelName(optional):
            return forms.ChoiceField(
                label=label,
                choices=_labels_or_none if optional else _labels,
                required=not optional,
                help_text=parameter.meaning,
                widget=UnfoldAdminSelectWidget(),
            )
        case Word() as word:
            return _WordField(word, label=label, required=False, help_text=parameter.meaning)
        case Several() as several:
            return _SeveralField(several, label=label, required=False, help_text=parameter.meaning)
        case QueryText():
            return QueryField(label=label, help_text=query_help.html(parameter.meaning))


class _WordField(forms.CharField):
    """Text that is checked as the parameter is."""

    def __init__(self, word: Word, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(), **options)
        self._word = word

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if problem := self._word.problem(text):
            raise ValidationError(f"Enter {problem}.")
        return text


class _SeveralField(forms.CharField):
    """Texts between commas or on lines of their own, as a list that is checked as the parameter is."""

    def __init__(self, several: Several, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), **options)
        self._several = several

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        texts = [text.strip() for text in re.split(r"[,\n]", super().clean(value))]
        found = list(dict.fromkeys(text for text in texts if text))
        if problem := self._several.problem(found):
            raise ValidationError(f"Enter {problem}, with commas between them.")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class _QueryWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    class Media:
        js = ("atsite/query.js",)


#: The page that judges a query while it is typed.
_CHECK: Final = "admin:feeds_feeddefinition_query"


class QueryField(forms.CharField):
    """A query. Its script (static/atsite/query.js) shows what is wrong with it beside the field while one types."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=_QueryWidget(attrs={"rows": 3, "data-query": reverse_lazy(_CHECK), "spellcheck": "false"}),
            **options,
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            check_query(text)
        except BadQuery as error:
            message = in_words(error)
            raise ValidationError(f"{message[:1].upper()}{message[1:]}.") from error
        return text


def _labels_or_none() -> list[tuple[str, str]]:
    (_, *named) = _labels()
    return [("", "No label: posts by everyone"), *named]


def _labels() -> list[tuple[str, str]]:
    named = [
        (label.name, f"{label.name}: {label.meaning}" if label.meaning else label.name) for label in Label.objects.all()
    ]
    return [("", "Choose a label"), *named]


def _stored(row: FeedDefinition) -> Mapping[str, Any]:
    return row.parameters if isinstance(row.parameters, dict) else {}


class ListedPostForm(forms.ModelForm):  # type: ignore[type-arg]
    uri = PostField(label="Post")

    class Meta:
        model = PinnedPost
        fields = ("position", "uri")
