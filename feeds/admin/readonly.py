"""A feed's settings for who may look and not change: each parameter in words, under the label of the form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from feeds.ranking.parameters import Flag, OneOf, Parameter

if TYPE_CHECKING:
    from django import forms

    from feeds.models import FeedDefinition

#: What a parameter's field, and the row's attribute of its words, are named by.
PREFIX: Final = "parameter_"


def tell(row: FeedDefinition, parameter: Parameter, stored: Any) -> None:
    """Let the row have the parameter's value in words, where Django looks for what a read-only page shows."""
    setattr(row, PREFIX + parameter.name, words_of(parameter, stored))


def words_of(parameter: Parameter, value: Any) -> str:
    """A value as people say it; "" for none. What was stored and cannot be is shown as it is."""
    match parameter.check:
        case Flag() if isinstance(value, bool):
            return "yes" if value else "no"
        case OneOf(words) if isinstance(value, str) and value in words:
            return words[value][:1].upper() + words[value][1:]
    return "" if value is None else str(value)


def said_of(fields: dict[str, forms.Field]) -> dict[str, dict[str, str]]:
    """Labels and help texts of fields that are no columns: a read-only page asks the form's Meta for both."""
    return {
        "labels": {name: str(field.label) for name, field in fields.items() if field.label},
        "help_texts": {name: str(field.help_text) for name, field in fields.items() if field.help_text},
    }
