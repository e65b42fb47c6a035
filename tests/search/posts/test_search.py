"""searchPostsSkeleton over HTTP: who is found, in which order, and who is not."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    account,
    ago,
    delete,
    floor,
    identity,
    micros,
    post,
    recreate,
    store,
    update,
)
from tests.indexer.fill.test_view import fill
from tests.search.service import Service, newest_first


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("quick", True),
        ("QUICK Fox", True),
        ("fox quick", True),
        ("été", True),
        ("ÉTÉ", True),
        ("привет", True),
        ("東京", True),
        ("京タワ", True),
        ("東京 quick", True),
        ("東京tower", False),
        ("タワー2", True),
        ("😀", True),
        ("qui", False),
        ("quick dog", False),
        ("et", False),
        ("京東", False),
        ("東ワ", False),
        ("東京 slow", False),
    ],
)
def test_all_words_must_occur_whole_and_case_does_not_matter(service: Service, q: str, found: bool) -> None:
    fox = post(ALICE, at=ago(hours=1), text="The Quick, brown fox! ÉTÉ Привет 今日は東京タワー2へ 😀")
    store(fox, post(BOB, at=ago(hours=2), text="nothing of that"))

    assert service.found(q) == ([fox.uri] if found else [])


def test_the_newest_come_first_and_the_did_decides_between_equals(service: Service) -> None:
    moment = micros(ago(hours=1))
    rkey = post(ALICE, at=moment, text="cat").rkey
    posts = [
        post(BOB, at=ago(minutes=1), text="cat", created_at=datetime_of_micros(micros(ago(hours=20)))),
        post(CAROL, at=moment, text="cat", rkey=rkey),
        post(ALICE, at=moment, text="cat", rkey=rkey),
        post(ALICE, at=ago(days=40), text="cat"),
    ]
    store(*posts[::-1])

    assert service.found("cat") == [each.uri for each in posts]


def test_an_edited_post_is_found_by_what_it_says_now(service: Service) -> None:
    edited = post(ALICE, at=ago(hours=2), text="old 東京")
    store(edited)
    store(update(edited, at=ago(hours=1), text="new 大阪"))

    assert service.found("new") == service.found("大阪") == [edited.uri]
    assert service.found("old") == service.found("東京") == []


def test_a_deleted_post_is_not_found_until_it_is_made_again(service: Service) -> None:
    cat = post(ALICE, at=ago(hours=3), text="cat")
    store(cat)
    store(delete(cat, at=ago(hours=2)))
    assert service.found("cat") == []

    store(cat)
    assert service.found("cat") == []

    store(recreate(cat, at=ago(hours=1), text="cat again"))
    assert service.found("cat") == [cat.uri]


def test_posts_that_are_not_eligible_are_not_found(service: Service) -> None:
    plain = post(ALICE, at=ago(hours=1), text="cat 東京")
    store(
        plain,
        post(ALICE, at=ago(hours=2), text="cat 東京", rkey="no-tid"),
        post(ALICE, at=ago(hours=2), rev_at=ago(hours=2, minutes=3), text="cat 東京"),
        post(ALICE, at=ago(hours=1), text="cat 東京", created_at="2019-01-01T00:00:00Z"),
        post(ALICE, at=ago(minutes=-5), rev_at=ago(minutes=-5), text="cat 東京"),
    )

    for q in ("cat", "東京", "cat 東京"):
        assert service.found(q) == [plain.uri]
        assert service.found(q, author=ALICE) == [plain.uri]


def test_inactive_authors_and_dead_rows_vanish_and_active_ones_return(service: Service) -> None:
    alice, bob, carol = (post(did, at=ago(hours=3), text="cat 東京") for did in (ALICE, BOB, CAROL))
    again = post(CAROL, at=ago(minutes=30), text="cat 東京")
    store(alice, bob, carol, again)
    store(account(BOB, active=False, status="deactivated", at=ago(hours=2)), floor(CAROL, at=ago(hours=1)))

    for q in ("cat", "東京"):
        assert service.found(q) == [again.uri, alice.uri]

    store(account(BOB, at=ago(hours=1)))
    assert service.found("cat") == newest_first(again, alice, bob)


TYPOGRAPHY = (
    "The curator’s “armadillo” came first… then an ocelot—margay, serval❤️, caracal\u00a0lynx, «puma», cougar•jaguar, "
    "kodkod\u202f! Rated１０／１０ Oncilla™ 🇩🇪colocolo👍🏽 C++ soft\u00adhyphen می\u200cخواهم 新しいGuiñaを見た"
)


@pytest.mark.parametrize(
    "q",
    [
        "armadillo", "curator", "curator's", "curator’s", "first", "ocelot", "margay", "serval", "caracal", "lynx",
        "puma", "cougar", "jaguar", "kodkod", "10", "oncilla", "colocolo", "c++", "softhyphen", "میخواهم", "می‌خواهم",
        "guiña", "新しい", "❤", "❤️", "👍", "👍🏿", "🇩🇪", "“puma” — ocelot…",
    ],
)  # fmt: skip
def test_a_word_is_found_whatever_stands_beside_it(service: Service, q: str) -> None:
    """Quotes, dashes, dots, special spaces and emoji end a word: one real post in seven holds such a word."""
    found = post(ALICE, at=ago(hours=1), text=TYPOGRAPHY)
    store(found, post(BOB, at=ago(hours=2), text="nothing of that"))

    assert service.found(q) == [found.uri]


def test_a_word_is_found_in_every_unicode_form(service: Service) -> None:
    texts = ["crème brûlée 판다 デパート GÖTEBORG", "ＣＲÈＭＥ ﾃﾞﾊﾟｰﾄ"]
    composed = post(ALICE, at=ago(hours=1), text=unicodedata.normalize("NFC", texts[0]))
    decomposed = post(ALICE, at=ago(hours=2), text=unicodedata.normalize("NFD", texts[0]))
    wide = post(ALICE, at=ago(hours=3), text=texts[1])
    store(composed, decomposed, wide)

    for q in ("brûlée", "판다", "göteborg"):
        for form in ("NFC", "NFD"):
            assert service.found(unicodedata.normalize(form, q)) == [composed.uri, decomposed.uri], (q, form)
    for q in ("crème", "デパート", "ﾃﾞﾊﾟｰﾄ", "ｃｒèｍｅ"):
        assert service.found(q) == [composed.uri, decomposed.uri, wide.uri], q


def test_a_language_finds_its_variants(service: Service) -> None:
    langs = [["pt"], ["en", "pt-BR"], ["pt_BR"], ["por"], ["PT"], ["ptx"], []]
    posts = [post(ALICE, at=ago(hours=1 + place), text="gato", langs=each) for place, each in enumerate(langs)]
    store(*posts)
    uris = [each.uri for each in posts]

    for lang in ("pt", "PT", "por"):
        assert service.found("gato", lang=lang) == uris[:5]
    for lang in ("pt-br", "pt_BR", "por-BR"):
        assert service.found("gato", lang=lang) == uris[1:3]
    assert service.found("gato", lang="de") == []


def test_an_author_is_a_did_or_a_handle_that_the_stream_told_of(service: Service) -> None:
    alice, bob = (post(did, at=ago(hours=1), text="cat 東京") for did in (ALICE, BOB))
    store(alice, bob)
    store(identity(BOB, "cat.test", at=ago(hours=3)), identity(ALICE, "cat.test", at=ago(hours=2)))

    for q in ("cat", "東京", "東"):
        assert service.found(q, author=ALICE) == service.found(q, author="Cat.Test") == [alice.uri]
        assert service.found(q, author=CAROL) == []


@pytest.mark.parametrize(
    "author",
    [
        "\u202acat.test\u202c",
        "\u00a0@cat.test\u200b",
        "https://bsky.app/profile/Cat.test/post/3k?ref=1#x",
        "bsky.app/profile/cat.test/",
        f"at://{ALICE}",
        f"\u2068{ALICE}\u2069",
    ],
)
def test_an_author_is_read_as_people_paste_one(service: Service, author: str) -> None:
    alice, bob = (post(did, at=ago(hours=1), text="cat") for did in (ALICE, BOB))
    store(alice, bob, identity(ALICE, "cat.test", at=ago(hours=2)))
    assert service.found("cat", author=author) == [alice.uri]


def test_an_author_is_found_by_a_handle_that_the_site_asked_for(service: Service) -> None:
    alice, bob = (post(did, at=ago(hours=1), text="cat") for did in (ALICE, BOB))
    store(alice, bob)
    fill(ALICE, "cat.test", "Cat", at=ago(hours=2))
    assert service.found("cat", author="cat.test") == [alice.uri]


def test_since_is_included_and_until_is_not(service: Service) -> None:
    noon = datetime(2025, 5, 5, 12, tzinfo=UTC)
    before, at_noon, after = (
        post(ALICE, at=moment, rkey=tid_of_micros(micros(moment)), text="cat")  # the first key of its moment
        for moment in (noon + timedelta(milliseconds=shift) for shift in (-1, 0, 1))
    )
    store(before, at_noon, after)

    assert service.found("cat", since="2025-05-05T12:00:00Z") == [after.uri, at_noon.uri]
    assert service.found("cat", until="2025-05-05T12:00:00.000Z") == [before.uri]
    assert service.found("cat", since="2025-05-05T14:00:00+02:00", until="2025-05-05T12:00:00.001Z") == [at_noon.uri]
    assert service.found("cat", since="2025-05-05", until="2025-05-06") == [after.uri, at_noon.uri, before.uri]
    assert service.found("cat", since="2025-05-06") == service.found("cat", until="2025-05-05") == []


def test_a_period_is_about_the_earliest_of_created_at_rkey_and_rev(service: Service) -> None:
    noon = datetime(2025, 5, 5, 12, tzinfo=UTC)
    written_before = post(ALICE, at=noon, text="cat", created_at="2025-05-04T12:00:01Z")
    written_after = post(BOB, at=noon, text="cat", created_at="2031-01-01T00:00:00Z")
    unreadable = post(CAROL, at=noon, text="cat", created_at="yesterday")
    store(written_before, written_after, unreadable)

    assert service.found("cat", until="2025-05-05") == [written_before.uri]
    assert service.found("cat", since="2025-05-05", until="2025-05-06") == [written_after.uri]
    assert service.found("cat") == newest_first(written_before, written_after), (
        "a date that cannot be read is not fresh"
    )


def test_one_character_of_an_unspaced_script_is_looked_for_in_a_day(service: Service) -> None:
    today, old = (post(ALICE, at=ago(hours=hours), text="この鯨は") for hours in (23, 25))
    store(today, old)

    assert service.found("鯨") == [today.uri]
    assert service.found("鯨", until=(ago(hours=24)).isoformat()) == [old.uri]
    assert service.found("鯨", author=ALICE) == [today.uri, old.uri]
    assert service.found("鯨は") == [today.uri, old.uri]
