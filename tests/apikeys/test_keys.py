from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys import keys
from apikeys.key_status import status_of
from apikeys.keys import Key
from apikeys.models import ApiKey, add_key
from apikeys.names import names_of
from atsite.core.web.auth import API_KEY_PREFIX

SECRET = "A" * 42 + "_"


def test_a_minted_key_reads_back_and_matches_its_hash() -> None:
    key = keys.mint()
    assert keys.parse(key.text) == key
    assert keys.matches(key, key.hash)
    assert len(key.text) == len("atsk_") + 12 + 1 + 43


def test_no_two_keys_are_alike() -> None:
    minted = [keys.mint() for _ in range(100)]
    assert len({key.id for key in minted}) == len({key.secret for key in minted}) == 100


def test_another_secret_does_not_match() -> None:
    key = keys.mint()
    assert not keys.matches(Key(key.id, keys.mint().secret), key.hash)
    assert not keys.matches(key, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "atsk_",
        f"atsk_23456789bcd_{SECRET}",
        f"atsk_23456789bcdfg_{SECRET}",
        f"atsk_23456789bcda_{SECRET}",
        f"ATSK_23456789bcdf_{SECRET}",
        f"atsk_23456789bcdf_{SECRET}A",
        f"atsk_23456789bcdf_{SECRET[1:]}",
        f"atsk_23456789bcdf_{SECRET}\n",
        f" atsk_23456789bcdf_{SECRET}",
        f"atsk_23456789bcdf_{SECRET[:-1]}é",
    ],
)
def test_other_text_is_no_key(text: str) -> None:
    assert keys.parse(text) is None


def test_a_bearer_that_begins_as_a_key_is_no_token_of_a_reader() -> None:
    assert keys.PREFIX == API_KEY_PREFIX


def test_a_key_never_shows_its_secret_in_logs() -> None:
    assert keys.parse(f"atsk_23456789bcdf_{SECRET}") == Key("23456789bcdf", SECRET)
    assert repr(Key("23456789bcdf", SECRET)) == "Key(id='23456789bcdf')"


def test_the_status_of_a_key_says_whether_it_has_expired() -> None:
    now = timezone.now()
    past, future = (ApiKey(expires_at=now + timedelta(hours=hours)) for hours in (-1, 1))
    assert status_of(past) == f"expired {past.expires_at:%Y-%m-%d %H:%M} UTC"
    assert status_of(future) == "active"


def test_a_key_is_called_by_its_note_and_without_one_by_its_id(db: None) -> None:
    noted, blank, unknown = keys.mint(), keys.mint(), keys.mint()
    add_key(noted, note=" door of the hall\n", scopes=["stats"])
    add_key(blank, note="", scopes=["stats"])
    assert names_of({noted.id, blank.id, unknown.id}) == {noted.id: "door of the hall", blank.id: blank.id}
