"""The rules of a clean-up check themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from atsite.core.errors import AtsiteError
from search.cleanup.planning.rules import InvalidRules, Rules
from tests.search.cleanup.repo import DAY, NOW, uri

NO_ZONE = datetime(2026, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"types": []},
            "types: choose at least one of post, post_with_media, reply, quote, repost, like",
        ),
        (
            {"types": ["follow"]},
            "types: 'follow' is not one of post, post_with_media, reply, quote, repost, like",
        ),
        ({"types": "post"}, "types: enter a list"),
        ({"delete_until_days_ago": None}, "give either delete_until_days_ago or delete_before, not both"),
        (
            {"delete_before": datetime(2026, 1, 1, tzinfo=UTC)},
            "give either delete_until_days_ago or delete_before, not both",
        ),
        ({"delete_until_days_ago": -1}, "delete_until_days_ago: -1 is not a whole number from 0 to 1,000,000,000"),
        ({"delete_until_days_ago": 1.5}, "delete_until_days_ago: 1.5 is not a whole number from 0 to 1,000,000,000"),
        ({"delete_until_days_ago": True}, "delete_until_days_ago: True is not a whole number from 0 to 1,000,000,000"),
        (
            {"delete_until_days_ago": None, "delete_before": NO_ZONE},
            "delete_before: datetime.datetime(2026, 1, 1, 0, 0) is not a time with a time zone",
        ),
        (
            {"delete_until_days_ago": None, "delete_before": "2026"},
            "delete_before: '2026' is not a time with a time zone",
        ),
        ({"keep_pinned": None}, "keep_pinned: enter true or false"),
        ({"keep_self_liked": 1}, "keep_self_liked: enter true or false"),
        ({"keep_replied_to": "no"}, "keep_replied_to: enter true or false"),
        ({"keep_above_likes": "5"}, "keep_above_likes: '5' is not a whole number from 0 to 1,000,000,000"),
        ({"keep_texts": [" "]}, "keep_texts: ' ' is not a text, or is empty"),
        ({"keep_texts": ["x"] * 1_001}, "keep_texts: enter at most 1,000 values"),
        (
            {"keep_domains": ["https://example.com"]},
            "keep_domains: 'https://example.com' is not a domain, such as example.com",
        ),
        ({"keep_domains": ["com"]}, "keep_domains: 'com' is not a domain, such as example.com"),
        (
            {"keep_uris": ["at://did:plc:x"]},
            "keep_uris: 'at://did:plc:x' is not the at-uri of a record: at://did/collection/rkey",
        ),
        ({"media_hosts": [None]}, "media_hosts: None is not a domain, such as example.com"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRules) as refused:
        Rules(**{"types": ["post"], "delete_until_days_ago": 30, **wrong})
    assert str(refused.value) == message
    assert isinstance(refused.value, AtsiteError)
    assert isinstance(refused.value, ValueError)


def test_rules_have_one_form_for_equal_choices() -> None:
    zone = timezone(timedelta(hours=2))
    first = Rules(
        types=["reply", "post", "post"],  # type: ignore[arg-type]
        delete_before=datetime(2026, 1, 1, 2, tzinfo=zone),
        keep_domains=["Bücher.example", "example.com."],  # type: ignore[arg-type]
        keep_uris=[uri("a")],  # type: ignore[arg-type]
    )
    assert first.as_json() == {
        "types": ["post", "reply"],
        "delete_until_days_ago": None,
        "delete_before": "2026-01-01T00:00:00.000000+00:00",
        "keep_pinned": True,
        "keep_self_liked": True,
        "keep_above_likes": None,
        "keep_replied_to": False,
        "keep_texts": [],
        "keep_domains": ["example.com", "xn--bcher-kva.example"],
        "keep_uris": [uri("a")],
        "media_hosts": ["giphy.com", "klipy.com", "tenor.com"],
    }


def test_the_cut_off_is_days_before_now_or_the_moment_itself() -> None:
    chosen = frozenset({"post"})
    assert Rules(types=chosen, delete_until_days_ago=0).cutoff_us(NOW) == NOW  # type: ignore[arg-type]
    assert Rules(types=chosen, delete_until_days_ago=30).cutoff_us(NOW) == NOW - 30 * DAY  # type: ignore[arg-type]
    moment = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    cutoff = Rules(types=chosen, delete_before=moment).cutoff_us(NOW)  # type: ignore[arg-type]
    assert cutoff == 1_767_225_600_000_001


@pytest.mark.parametrize(
    "rules",
    [
        Rules(types=["like"], delete_until_days_ago=0),  # type: ignore[arg-type]
        Rules(
            types=["reply", "post"],  # type: ignore[arg-type]
            delete_before=datetime(2026, 1, 1, 2, 3, 4, 5, tzinfo=UTC),
            keep_pinned=False,
            keep_self_liked=False,
            keep_above_likes=7,
            keep_replied_to=True,
            keep_texts=["\ud800", "Zoë"],  # type: ignore[arg-type]
            keep_domains=["example.com"],  # type: ignore[arg-type]
            keep_uris=[uri("a")],  # type: ignore[arg-type]
            media_hosts=[],  # type: ignore[arg-type]
        ),
    ],
)
def test_rules_come_back_from_json_as_they_were(rules: Rules) -> None:
    assert Rules.from_json(json.loads(json.dumps(rules.as_json()))) == rules


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "expected an object with the rules, types among them"),
        ({}, "expected an object with the rules, types among them"),
        ({"types": ["post"], "keep_everything": True}, "'keep_everything' is not a rule"),
        ({"types": ["post"], "delete_before": "soon"}, "delete_before: 'soon' is not a time with a time zone"),
        ({"types": ["post"], "delete_before": 3}, "delete_before: 3 is not a time with a time zone"),
    ],
)
def test_json_that_has_no_rules_is_refused(values: object, message: str) -> None:
    with pytest.raises(InvalidRules) as refused:
        Rules.from_json(values)
    assert str(refused.value) == message
