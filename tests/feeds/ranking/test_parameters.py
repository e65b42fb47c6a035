"""What kinds declare of their parameters: enough for a form, and what is read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from feeds.kinds import KINDS
from feeds.kinds.hot import HotParameters
from feeds.kinds.label import LabelParameters
from feeds.kinds.top import TopParameters
from feeds.ranking.feed import InvalidDefinition
from feeds.ranking.parameters import Between, Flag, LabelName, Parameter, declared, read


def test_every_kind_says_what_it_is_and_what_each_parameter_means() -> None:
    assert list(KINDS) == sorted(KINDS) == [kind.name for kind in KINDS.values()]
    for kind in KINDS.values():
        assert kind.meaning.endswith("."), kind.name
        assert kind.when_empty.endswith("."), kind.name
        for parameter in kind.declared:
            assert parameter.meaning.endswith("."), (kind.name, parameter.name)
            assert parameter.default is None or not parameter.check.problem(parameter.default), parameter.name


def test_a_kind_that_names_a_label_may_be_private() -> None:
    assert [kind.name for kind in KINDS.values() if kind.may_be_private] == ["label"]


def test_a_declaration_names_type_default_and_meaning() -> None:
    assert declared(LabelParameters)[:2] == (
        Parameter(
            "label",
            LabelName(),
            "Shows posts by accounts with this label. If the feed is private, only they can read it.",
            None,
        ),
        Parameter("replies", Flag(), "Also show their replies.", False),
    )
    assert declared(TopParameters)[0] == Parameter("hours", Between(1, 168), "Maximum age of a post, in hours.", 24)


def test_what_a_definition_does_not_say_is_the_default() -> None:
    assert read(TopParameters, {"hours": 2}) == TopParameters(hours=2)
    assert read(HotParameters, {}) == HotParameters()


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (TopParameters, {"hours": 0}, "hours must be a whole number from 1 to 168"),
        (TopParameters, {"hours": True}, "hours must be a whole number from 1 to 168"),
        (TopParameters, {"hours": "2"}, "hours must be a whole number from 1 to 168"),
        (TopParameters, {"media": "some"}, "media must be one of any, with, without"),
        (TopParameters, {"media": []}, "media must be one of any, with, without"),
        (HotParameters, {"language": "J A"}, "language must be a language such as ja, or empty for all"),
        (HotParameters, {"hours": 2}, "unknown parameter 'hours': this kind has window_hours"),
        (LabelParameters, {"label": "mpls", "replies": 1}, "replies must be true or false"),
        (LabelParameters, {"label": "a b"}, "label must be the name of a label"),
        (LabelParameters, {"replies": True}, "missing parameter: label"),
    ],
)
def test_what_cannot_be_is_refused(kind: type, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDefinition, match=message):
        read(kind, parameters)
