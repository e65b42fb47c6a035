"""What apps provide to those below them."""

from __future__ import annotations

from collections.abc import Callable

from django.apps import apps

from apikeys import feed_choices
from apikeys.names import names_of
from atsite.core.extension_point import ExtensionPoint
from atsite.core.form_choices import FormChoices
from feeds import definitions
from feeds.label_uses import feeds_by_label
from feeds.serving.authors_to_fill import ranked_authors
from indexer.fill.due_actors import recent_posters
from indexer.index.needed_actors import TO_FILL, TO_STREAM
from labels import feed_names
from labels.actors_to_fill import labelled_actors
from labels.admin.names import KEY_NAMES
from labels.uses import LABEL_USES
from search.posts.recently_shown import shown_authors

Number = Callable[[], int]


def one() -> int:
    return 1


def two() -> int:
    return 2


def three() -> int:
    return 3


def test_functions_come_by_order_and_then_as_they_were_provided() -> None:
    point = ExtensionPoint[Number]("numbers")
    for function, order in ((three, 1), (two, 0), (one, 0)):
        point.provide(function, order=order)
    assert point.providers() == [two, one, three]


def test_the_same_function_is_provided_once() -> None:
    point = ExtensionPoint[Number]("numbers")
    for function, order in ((one, 0), (two, 1), (one, 2)):
        point.provide(function, order=order)
    assert point.providers() == [two, one]


def test_a_test_may_put_others_in_their_place_for_a_while() -> None:
    point = ExtensionPoint[Number]("numbers")
    point.provide(one)
    with point.only(two):
        assert point.providers() == [two]
    assert point.providers() == [one]


def test_choices_of_all_providers_and_those_that_are_none_any_more() -> None:
    feeds = FormChoices("feeds", gone="is gone")
    assert feeds.choices() == []
    feeds.provide(lambda: [("top", "Top"), ("hot", "What's Hot")])
    feeds.provide(lambda: iter([("art", "Art")]))
    assert feeds.choices(["zoo", "hot", "cat"]) == [
        ("art", "Art (art)"),
        ("hot", "What's Hot (hot)"),
        ("top", "Top (top)"),
        ("cat", "cat: is gone"),
        ("zoo", "zoo: is gone"),
    ]


def test_what_the_apps_of_the_site_provide() -> None:
    for config in apps.get_app_configs():
        if config.name in ("feeds", "labels", "search", "indexer"):
            config.ready()  # again, as some tools do: nothing doubles
    assert TO_FILL.providers() == [labelled_actors, ranked_authors, shown_authors, recent_posters]
    assert TO_STREAM.providers() == [labelled_actors]
    assert LABEL_USES.providers() == [feeds_by_label]
    assert KEY_NAMES.providers() == [names_of]
    assert feed_choices.FEEDS.providers() == [definitions.with_members]
    assert feed_names.FEEDS.providers() == [definitions.names]
