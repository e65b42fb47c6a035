"""A feed's settings for users who may view but not change them: each parameter in words, with the form's label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from feeds.ranking.parameters import Flag, OneOf, Parameter, Several

if TYPE_CHECKING:
    from django import forms

    from feeds.models import FeedDefinition

#: Prefix of a parameter's form field, and of the row's attribute with its words.
PREFIX: Final = "parameter_"


def set_display_value(row: FeedDefinition, parameter: Parameter, stored: Any) -> None:
    """Set the parameter's value in words on the row, where Django looks for the value of a read-only field."""
    setattr(row, PREFIX + parameter.name, display_value(parameter, stored))


def display_value(parameter: Parameter, value: Any) -> str:
    """A value in words; "" for none. An invalid stored value is shown as it is."""
    match parameter.check:
        case Flag() if isinstance(value, bool):
            return "yes" if value else "no"
        case OneOf(words) if isinstance(value, str) and value in words:
            return words[value][:1].upper() + words[value][1:]
        case Several() if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
    return "" if value is None else str(value)


def meta_texts(fields: dict[str, forms.Field]) -> dict[str, dict[str, str]]:
    """Labels and help texts of fields that are not model fields, for the form's Meta, as read-only pages need them."""
    return {
        "labels": {name: str(field.label) for name, field in fields.items() if field.label},
        "help_texts": {name: str(field.help_text) for name, field in fields.items() if field.help_text},
    }
