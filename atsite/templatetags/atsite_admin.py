"""What the project's own templates of the admin ask for."""

from __future__ import annotations

from django import template

from atsite.dashboard import first_steps

register = template.Library()


@register.filter
def first_step(label: str) -> str:
    """What the empty list of a model ("labels.block") says."""
    return first_steps.first_step(label)
