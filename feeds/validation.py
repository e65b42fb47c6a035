"""Validation of a feed's definition, with messages for the person who edits it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from atsite.core.atproto.syntax import Did
from atsite.core.config import config
from feeds.definition_from_row import definition_of
from feeds.kinds import labels_of, make_feed
from feeds.ranking.feed import Definition, InvalidDefinition
from feeds.ranking.page_data import FeedData
from labels.models import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.definition_from_row import FeedRow

#: Used while FEED_ACTOR_DID is not set: the site sets the publisher, so the form does not report a missing one.
_PLACEHOLDER_PUBLISHER = Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")


def validate_definition(row: FeedRow, *, namesakes: Iterable[FeedRow]) -> None:
    """Raises ValidationError with the reason, on the field with the error where possible.

    `namesakes`: the other rows with the same record key.
    """
    if not isinstance(row.parameters, dict):
        raise ValidationError({"parameters": 'Enter an object such as {"hours": 24}.'})
    definition = definition_of(row, config)
    try:
        make_feed(_with_publisher(definition), FeedData())
    except InvalidDefinition as error:
        raise ValidationError({"parameters": str(error)}) from error
    for label in labels_of(definition.kind, definition.parameters):
        if not Label.objects.filter(name=label).exists():
            raise ValidationError({"parameters": f"the label {label!r} does not exist: add it first"})
    if any((other.publisher or config.feed_actor_did) == definition.publisher for other in namesakes):
        raise ValidationError({"rkey": "the publisher already has a feed with this name"})


def _with_publisher(definition: Definition) -> Definition:
    return definition if definition.publisher else replace(definition, publisher=_PLACEHOLDER_PUBLISHER)
