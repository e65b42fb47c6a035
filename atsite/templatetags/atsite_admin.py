"""What the project's own templates of the admin ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from atsite.dashboard import empty_lists, headings

if TYPE_CHECKING:
    from django.template import Context

register = template.Library()


@register.filter
def first_step(label: str) -> str:
    """What the empty list of a model ("labels.block") says."""
    return empty_lists.first_step(label)


@register.simple_tag(takes_context=True)
def heading(context: Context) -> list[headings.Part]:
    """The way to the page, and the page."""
    return headings.parts({str(name): value for name, value in context.flatten().items()})
