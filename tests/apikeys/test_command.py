"""`manage.py create_api_key`, and what the copy tells."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from apikeys.check import check
from apikeys.keys import parse
from apikeys.models import ApiKey
from atsite.core.clickhouse import door
from atsite.core.web.auth import Scope
from tests.away import clickhouse_away
from tests.feeds.readers import define_feeds

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(autouse=True)
def feeds(stores: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The feeds that every site begins with."""
    define_feeds(django_db_blocker)


def create(*arguments: str, stderr: StringIO | None = None) -> str:
    out = StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=stderr or StringIO())
    return out.getvalue()


def test_it_prints_a_key_that_is_let_in_and_is_stored_nowhere(stores: None) -> None:
    User.objects.create_user("mira")
    text = create("--scope", "members", "--scope", "stats", "--feed", "a-mpls", "--note", "bot", "--user", "mira")
    key = parse(text.removesuffix("\n"))
    assert key is not None
    principal = check(key.text)
    assert principal.scopes == {Scope.MEMBERS, Scope.STATS}
    assert principal.feeds == {"a-mpls"}
    row = ApiKey.objects.get()
    assert (row.key_id, row.secret_hash, row.note, row.owner) == (key.id, key.hash, "bot", "mira")
    assert key.secret not in str(list(ApiKey.objects.values())) + str(list(ApiKey.history.values()))
    assert key.hash not in str(list(ApiKey.history.values()))


@dataclass(frozen=True, slots=True)
class Copy:
    key_id: str
    name: str
    owner: str
    scopes: list[str]
    feeds: list[str]
    rate_limit: int
    deleted: int


COPY = "SELECT key_id, name, owner, scopes, feeds, rate_limit, deleted FROM api_keys FINAL"


def test_the_copy_tells_rights_and_neither_secret_nor_hash(stores: None) -> None:
    text = create(
        "--scope", "members", "--feed", "a-mpls", "--note", "site search", "--rate", "30", "--days", "7"
    )  # fmt: skip
    key = parse(text.strip())
    assert key is not None
    assert door.query(COPY, into=Copy, name="tests.copy") == [
        Copy(key.id, "site search", "", ["members"], ["a-mpls"], 30, 0)
    ]
    everything = door.column("SELECT toString(tuple(*)) FROM api_keys", name="tests.copy")
    assert key.secret not in str(everything)
    assert key.hash not in str(everything)
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert (expires_at - timezone.now()).days == 6


def test_it_says_when_the_copy_is_late_and_the_key_is_let_in_all_the_same(stores: None) -> None:
    late = StringIO()
    with clickhouse_away():
        text = create("--scope", "stats", stderr=late)
        assert check(text.strip()).scopes == {Scope.STATS}
    assert (
        late.getvalue()
        == "Saved, but ClickHouse does not answer: statistics and feeds apply the change when it does.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "required: --scope"),
        (("--scope", "everything"), "invalid choice"),
        (("--scope", "cleanup"), "invalid choice: 'cleanup'"),
        (("--scope", "stats", "--user", "nobody"), "there is no user 'nobody'"),
        (("--scope", "members", "--feed", "nope", "--feed", "a-mpls"), "--feed: nope has no members; .*a-mpls"),
        (("--scope", "members"), "--scope members also needs --feed"),
        (("--scope", "stats", "--feed", "a-mpls"), "--feed also needs --scope members"),
        (("--scope", "stats", "--days", "0"), "--days: expected 1 to 36500"),
        (("--scope", "stats", "--days", "999999999"), "--days: expected 1 to 36500"),
        (("--scope", "stats", "--note", "a\udcff"), "--note: expected text on one line"),
        (("--scope", "stats", "--note", "a\nb"), "--note: expected text on one line"),
        (("--scope", "stats", "--rate", "0"), "greater than or equal to 1"),
    ],
)
def test_nonsense_makes_no_key(stores: None, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        create(*arguments)
    assert not ApiKey.every.exists()
