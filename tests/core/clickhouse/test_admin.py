"""The admin of read models, through HTTP against tables with thousands of rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from atsite.core.clickhouse import door
from tests.core.clickhouse import admin_urls
from tests.core.clickhouse.admin_urls import SampleLikeAdmin
from tests.core.clickhouse.conftest import like_columns
from tests.core.clickhouse.read_models import SampleLike

if TYPE_CHECKING:
    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.urls("tests.core.clickhouse.admin_urls"),
]

LIKES = "/admin/channels/samplelike/"
ROWS = 120_000


def rkey(number: int) -> str:
    return f"3m{number:011d}"


FILL = """
INSERT INTO test_likes
SELECT '3m' || leftPad(toString(number), 11, '0'), 'did:plc:' || ['a', 'b', 'c'][number % 3 + 1],
    {word:String} || ' ' || toString(number), {version:UInt64}, 0
FROM numbers({rows:UInt64})
"""

#: Never ends by itself, and needs no memory.
ENDLESS = """
CREATE VIEW test_likes AS
SELECT toString(number) AS rkey, '' AS did, '' AS subject_uri, 1::UInt64 AS version, 0::UInt8 AS deleted
FROM system.numbers
"""


@pytest.fixture
def filled(likes: str) -> str:
    """120,000 likes of three dids, each in two versions, of which the newer one must be seen."""
    for version, word in ((1, "old"), (2, "new")):
        door.execute(FILL, {"word": word, "version": version, "rows": ROWS}, name="tests.fill")
    return likes


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def first_cells(response: Response) -> list[str]:
    return re.findall(r'<th class="field-[^>]*>(?:<a [^>]*>)?([^<]*)', response.content.decode())


def rows_read(comment_part: str) -> int:
    """Rows that the newest logged statement with that text read."""
    door.execute("SYSTEM FLUSH LOGS query_log", name="tests.flush")
    return int(
        door.scalar(
            "SELECT read_rows FROM system.query_log WHERE type = 'QueryFinish' AND position(query, {part:String}) > 0"
            " AND position(query, 'query_log') = 0 ORDER BY event_time_microseconds DESC LIMIT 1",
            {"part": comment_part},
            name="tests.rows_read",
        )
    )


def test_a_list_shows_the_newest_version_of_the_newest_keys_and_reads_few_rows(filled: str, browser: Client) -> None:
    response = browser.get(LIKES)
    assert response.status_code == 200
    assert first_cells(response) == [rkey(number) for number in range(ROWS - 1, ROWS - 51, -1)]
    assert f"new {ROWS - 1}" in response.content.decode()
    assert f"old {ROWS - 1}" not in response.content.decode()
    assert rows_read('FROM "test_likes"') < 2 * ROWS / 10


def test_pages_follow_each_other_to_the_last_row_without_a_count(filled: str, browser: Client) -> None:
    second = browser.get(LIKES, {"p": 2})
    assert first_cells(second) == [rkey(number) for number in range(ROWS - 51, ROWS - 101, -1)]
    door.execute("SYSTEM FLUSH LOGS query_log", name="tests.flush")
    counts = door.scalar(
        "SELECT count() FROM system.query_log WHERE query ILIKE 'SELECT COUNT(*)%test_likes%max_block_size%'",
        name="tests.counts",
    )
    assert counts == 0


def test_the_last_page_says_so_and_there_is_none_behind_it(likes: str, browser: Client) -> None:
    door.execute(FILL, {"word": "new", "version": 1, "rows": 100}, name="tests.fill")
    last = browser.get(LIKES, {"p": 2})
    assert first_cells(last) == [rkey(number) for number in range(49, -1, -1)]
    assert "?p=3" not in last.content.decode()
    assert "← Newer</a>" in last.content.decode()
    assert "Older →</a>" in browser.get(LIKES).content.decode()
    assert browser.get(LIKES, {"p": 3}).headers["Location"] == f"{LIKES}?e=1"


def test_a_search_finds_the_beginning_of_a_key_and_prunes(filled: str, browser: Client) -> None:
    response = browser.get(LIKES, {"q": rkey(123)[:-1]})
    assert first_cells(response) == [rkey(number) for number in range(129, 119, -1)]
    assert rows_read(rkey(123)[:-1]) <= 2 * 2 * 256


def test_a_search_finds_a_whole_at_uri_and_a_whole_did(filled: str, browser: Client) -> None:
    uri = f"at://did:plc:{'abc'[7 % 3]}/app.bsky.feed.like/{rkey(7)}"
    assert first_cells(browser.get(LIKES, {"q": uri})) == [rkey(7)]
    assert first_cells(browser.get(LIKES, {"q": "at://nonsense"})) == []
    response = browser.get(LIKES, {"q": "did:plc:a"})
    assert first_cells(response)[0] == rkey(ROWS - 3)


def test_a_row_has_a_page_that_shows_and_offers_nothing_to_change(filled: str, browser: Client) -> None:
    listed = browser.get(LIKES, {"q": rkey(7)}).content.decode()
    (href,) = set(re.findall(r'<th class="field-rkey [^>]*><a href="([^"?]*)', listed))
    page = browser.get(href)
    assert page.status_code == 200
    text = page.content.decode()
    assert "new 7" in text
    assert 'name="_save"' not in text
    assert "deletelink" not in text
    assert browser.post(href, {"subject_uri": "x"}).status_code == 403
    assert browser.get(href.replace("change", "delete")).status_code == 403
    assert browser.get(f"{LIKES}add/").status_code == 403


def test_a_key_with_odd_characters_finds_its_way_back(likes: str, browser: Client) -> None:
    odd = ("3m,_/%?#'\"é", "did:web:a%3A1", "odd row")
    door.insert(likes, like_columns([odd]), name="tests.fill")
    (href,) = set(re.findall(r'<th class="field-rkey [^>]*><a href="([^"?]*)', browser.get(LIKES).content.decode()))
    assert "odd row" in browser.get(href).content.decode()


def test_an_address_that_is_no_key_leads_back_to_the_index(likes: str, browser: Client) -> None:
    assert browser.get(f"{LIKES}nothing/change/").status_code == 302
    assert browser.get(f"{LIKES}a,b/change/").status_code == 302


def test_a_deleted_row_is_not_listed(likes: str, browser: Client) -> None:
    door.insert(likes, like_columns([("3a", "did:plc:a", "s"), ("3b", "did:plc:a", "s")]), name="tests.fill")
    door.insert(likes, like_columns([("3a", "did:plc:a", "")], version=2, deleted=1), name="tests.fill")
    assert first_cells(browser.get(LIKES)) == ["3b"]


def test_a_table_keyed_by_one_column_is_browsable_too(actors: str, browser: Client) -> None:
    columns: dict[str, list[object]] = {
        "did": ["did:plc:a", "did:plc:b"],
        "handle": ["a.test", "b.test"],
        "version": [1, 1],
    }
    door.insert(actors, columns, name="tests.fill")
    assert first_cells(browser.get("/admin/channels/sampleactor/", {"q": "did:plc:a"})) == ["did:plc:a"]
    listed = browser.get("/admin/channels/sampleactor/")
    assert first_cells(listed) == ["did:plc:b", "did:plc:a"]
    many: list[object] = [f"did:plc:c{number:03d}" for number in range(60)]
    door.insert(actors, {"did": many, "handle": [""] * 60, "version": [1] * 60}, name="tests.fill")
    assert "Next →</a>" in browser.get("/admin/channels/sampleactor/").content.decode()
    assert "← Previous</a>" in browser.get("/admin/channels/sampleactor/", {"p": 2}).content.decode()
    (href,) = re.findall(r'<th class="field-did [^>]*><a href="([^"?]*)"[^>]*>did:plc:a', listed.content.decode())
    assert "a.test" in browser.get(href).content.decode()


def test_a_list_that_takes_too_long_says_so_instead_of_failing(
    clickhouse: None, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SampleLikeAdmin, "max_execution_time", 0.1)
    door.execute(ENDLESS, name="tests.create")
    try:
        response = browser.get(LIKES)
    finally:
        door.execute("DROP VIEW test_likes", name="tests.drop")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert "Narrow it" in response.content.decode()


def test_a_list_whose_table_is_gone_says_so_instead_of_failing(clickhouse: None, browser: Client) -> None:
    response = browser.get(LIKES)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert "could not be reached or refused" in response.content.decode()


def test_djangos_own_register_refuses_what_ours_accepts() -> None:
    with pytest.raises(ImproperlyConfigured, match="composite primary key"):
        admin_urls.site.register(SampleLike)
