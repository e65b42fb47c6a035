"""The public page through HTTP, as a browser without scripts reads it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from feeds.models import FeedDefinition
from indexer.index.query.examples import EXAMPLES
from search.web.public.found_posts import LIMIT
from tests.builders import ALICE, ago, identity, post, store
from tests.search.service import running
from tests.search.web.public import world
from tests.steps import steps

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    import redis

    from tests.search.service import Service

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

#: Every page, and what may be wrong with a search.
PAGES: Final[tuple[str, ...]] = (
    "/", "/?q=heron", "/?q=heron&sort=top", "/?q=%22", "/?q=heron&cursor=x", "/people", "/people?q=al",
    "/people?q=-", "/numbers", "/numbers?days=90", "/feeds", "/help",
)  # fmt: skip
WORD = "unmistakable"
#: A search of its own: results of `top` are kept for ten minutes.
PAGED = "heron -unheard"


def words(page: httpx.Response) -> str:
    """The text of a page in one line."""
    body = page.text.partition("<body>")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<br>", " ", re.sub(r"<(?!br>)[^>]+>", "", body)))).strip()


def posts(page: httpx.Response) -> list[str]:
    """The posts of a page, each in one line."""
    articles = re.findall(r"<article>.*?</article>", page.text, re.DOTALL)
    return [re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", each.replace("<br>", " ")))) for each in articles]


def link(page: httpx.Response, text: str) -> str:
    """The address of the link with this text."""
    links = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', page.text, re.DOTALL)
    return html.unescape(next(to for to, name in links if " ".join(re.sub("<[^>]+>", "", name).split()) == text))


def test_a_post_is_shown_with_its_author_its_marked_words_and_its_counts(site: Service) -> None:
    world.fill()
    page = site.get("/", q="heron waits")
    assert page.status_code == 200
    (article,) = re.findall(r"<article>.*?</article>", page.text, re.DOTALL)
    assert "The <mark>heron</mark> <mark>waits</mark>,<br>and the <mark>Heron</mark> flies." in article
    assert 'lang="en"' in article
    (text,) = posts(page)
    assert "Alice of the canal @alice.example.com 2 h ago" in text
    assert "2 likes · 1 repost · 1 reply" in text
    assert f"https://bsky.app/profile/{ALICE}/post/" in article
    assert "1 post." in words(page)


def test_cards_and_descriptions_of_pictures_are_text_and_nothing_of_another_site_is_loaded(site: Service) -> None:
    world.fill()
    (linked,) = posts(site.get("/", q="heron link"))
    assert "On herons A bird at the canal example.com" in linked
    (pictured,) = posts(site.get("/", q="heron pictures"))
    assert "With 2 pictures. a grey heron at the canal" in pictured
    for path in PAGES:
        loaded = re.findall(
            r'<(?:link|img|script|iframe|source|use)\b[^>]*(?:href|src)="([^"]+)"', site.client.get(path).text
        )
        assert set(loaded) == {"/page/public.css", "/page/icon.svg"}, path
    assert site.get("/page/public.css").headers["content-type"] == "text/css"
    assert site.get("/page/icon.svg").status_code == 200
    assert site.get("/page/settings.py").status_code == 404


def test_without_the_raw_record_a_card_is_its_link(site: Service) -> None:
    world.fill()
    door.execute("TRUNCATE TABLE repo_records", name="tests.truncate")
    (linked,) = posts(site.get("/", q="heron link"))
    assert "https://www.example.com/heron example.com" in linked
    (pictured,) = posts(site.get("/", q="heron pictures"))
    assert "With 2 pictures" in pictured


def test_a_search_is_paged_by_links_and_each_page_can_be_shared(site: Service) -> None:
    world.fill()
    for sort in ("latest", "top"):
        page = site.get("/", q=PAGED, sort=sort)
        seen = posts(page)
        for _ in steps():
            if 'rel="next"' not in page.text:
                break
            to = link(page, "Older posts" if sort == "latest" else "More posts")
            assert parse_qs(urlsplit(to).query)["q"] == [PAGED]
            page = site.client.get(to)
            assert posts(site.client.get(to)) == posts(page)
            assert link(page, "← Back to the first page").startswith("/?q=heron")
            seen += posts(page)
        assert len(seen) == len(set(seen)) == world.MANY + 7
    assert "The heron waits" in posts(site.get("/", q=PAGED, sort="top"))[0]


def test_what_is_labelled_is_folded_and_who_asks_not_to_be_shown_is_not(site: Service) -> None:
    world.fill()
    folded = {}
    for query in ("heron nude", "heron dan", "heron pictures"):
        page = site.get("/", q=query)
        folded[query] = re.findall(r"<summary>(.*?)</summary>", page.text)
        assert len(posts(page)) == 1
        assert ("<details" in page.text) == bool(folded[query])
    assert folded == {
        "heron nude": ["Hidden: the author marks this as nudity. Show it"],
        "heron dan": ["Hidden: the author marks this as adult content. Show it"],
        "heron pictures": [],
    }
    assert posts(site.get("/", q="heron signed")) == []
    assert posts(site.get("/", q="from:carol.example.com")) == []
    assert "Nobody found" in words(site.get("/people", q="carol"))
    assert "Alice of the canal" in words(site.get("/people", q="alice"))


def test_what_strangers_write_is_text(site: Service) -> None:
    world.fill()
    for page in (site.get("/", q="heron owned"), site.get("/people", q="bob"), site.get("/", q=world.EVIL)):
        assert "<script" not in page.text
        assert "<img" not in page.text
    assert world.EVIL[:60] in words(site.get("/people", q="bob"))


@pytest.mark.parametrize(
    ("q", "problem", "marked"),
    [
        ('cats "open', 'This quote is not closed. The query, with the place marked, character 6: cats "open', '"'),
        ("is:green", "Is: expected one of reply, root, quote.", "i"),
        ("from:nobody.test x", "From: no account has the handle nobody.test", "f"),
        ("cats OR", "A word is missing here.", "▯"),
        ("from:me", "From: me needs a reader who is signed in.", "f"),
    ],
)
def test_what_is_wrong_with_a_query_stands_beside_it(site: Service, q: str, problem: str, marked: str) -> None:
    page = site.get("/", q=q)
    assert page.status_code == 400
    assert problem in words(page)
    assert re.findall(r"<mark>(.*?)</mark>", page.text) == [html.escape(marked)]
    assert f'value="{html.escape(q)}"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert 'aria-describedby="wrong"' in page.text


def test_a_cursor_that_is_none_ends_the_page_and_not_the_site(site: Service) -> None:
    for path in ("/?q=heron&cursor=x", "/people?q=al&cursor=x", "/?q=heron&sort=top&cursor=x"):
        page = site.client.get(path)
        assert (page.status_code, "This page of results has ended." in words(page)) == (400, True)


def test_what_was_not_looked_at_is_said(site: Service) -> None:
    world.fill()
    assert "a query without a word, tag, link or account goes back 24 hours only." in words(
        site.get("/", q="has:images")
    )
    assert "24 hours only" not in words(site.get("/", q="heron"))
    assert "Most liked and reposted of 7 days" in words(site.get("/", q="heron", sort="top"))


def test_a_site_without_anything_says_what_to_do(site: Service) -> None:
    FeedDefinition.objects.all().delete()
    assert "This site has not indexed any posts yet." in words(site.get("/", q="heron"))
    assert "There are no numbers yet" in words(site.get("/numbers"))
    assert "This site has no public feeds yet." in words(site.get("/feeds"))
    assert "The first numbers come within the hour" in words(site.get("/"))
    assert "Nobody found." in words(site.get("/people", q="al"))
    store(post(ALICE, at=ago(hours=1), text="a cat"))
    assert "No posts match." in words(site.get("/", q="heron"))


def test_people_are_found_and_lead_to_their_posts(site: Service) -> None:
    world.fill()
    page = site.get("/people", q="alice")
    assert link(page, "Posts by Alice of the canal") == "/?q=from%3Aalice.example.com"
    assert len(posts(site.client.get(link(page, "Posts by Alice of the canal")))) == LIMIT


def test_people_are_paged(site: Service) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz234567"[:30]
    store(*(identity(Did(f"did:plc:{each * 24}"), f"al{each}.test", at=ago(hours=2)) for each in letters))
    page = site.get("/people", q="al")
    more = site.client.get(link(page, "More people"))
    both = re.findall(r"@al\w\.test", page.text + more.text)
    assert len(both) == len(set(both)) == 30


def test_private_feeds_and_those_that_are_off_are_never_listed(site: Service) -> None:
    world.fill_feeds()
    for path in ("/", "/feeds"):
        text = words(site.client.get(path))
        assert "Canal life What people at the canal like most, ranked every minute." in text
        assert "Herons" in text
        assert "Crew only" not in text
        assert "Switched off" not in text
    assert "Not published on Bluesky yet." in words(site.get("/feeds"))


def test_charts_have_their_numbers_in_a_table(site: Service) -> None:
    world.fill_days()
    page = site.get("/numbers")
    assert page.text.count("<rect") == 30 * 6
    days, newest = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>', page.text)[:31], ("today", "12,000")
    assert (len(days), days[0], days[30]) == (31, newest, ("today", "1,000"))
    assert "12,000 today so far" in words(page)
    assert site.get("/numbers", days=90).text.count("<rect") == 90 * 6
    assert site.get("/").text.count("<rect") == 30 * 2


def test_help_shows_every_example_of_the_language(site: Service) -> None:
    page = site.get("/help")
    for queries, meaning in EXAMPLES:
        assert html.escape(meaning) in page.text
        for query in queries:
            assert f"<code>{html.escape(query)}</code>" in page.text
    for to in re.findall(r'<a href="(/\?q=[^"]+)"><code>', page.text):
        assert site.client.get(html.unescape(to)).status_code == 200


def test_every_page_has_a_strict_policy_no_cookie_and_is_in_no_index(site: Service) -> None:
    for path in PAGES:
        page = site.client.get(path)
        assert page.headers["content-type"] == "text/html; charset=utf-8", path
        assert page.headers["content-security-policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
            "base-uri 'none'"
        )
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "private, no-cache"
        assert '<meta name="robots" content="noindex, nofollow">' in page.text
        assert "set-cookie" not in page.headers
        assert "style=" not in page.text
        assert site.client.head(path).status_code == page.status_code
        assert site.client.post(path).status_code == 405


def test_visitors_search_where_programs_need_a_key(site: Service) -> None:
    assert site.get("/search/posts", q="heron").status_code == 401
    assert site.get("/", q="heron").status_code == 200
    paths = site.get("/openapi.json").json()["paths"]
    assert {"/", "/people", "/numbers", "/feeds", "/help"} & set(paths) == set()


def test_there_is_no_page_unless_it_is_switched_on(clickhouse: None) -> None:
    for service in running(PUBLIC_PAGE="0"):
        for path in ("/", "/people", "/numbers", "/feeds", "/help", "/page/public.css"):
            assert service.get(path).status_code == 404, path


def test_an_address_has_a_limit_of_its_own(clickhouse: None, valkey: redis.Redis) -> None:
    for service in running(PUBLIC_PAGE="1", PUBLIC_PAGE_PER_MINUTE="3", SEARCH_PER_MINUTE="1000"):
        assert [service.get("/", q="heron").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = service.get("/help")
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "That was fast: please wait" in words(refused)
        assert service.get("/search/posts", q="heron").status_code == 200
        assert service.get("/page/public.css").status_code == 200
    assert [int(valkey.pttl(name)) > 0 for name in valkey.keys("*rate:public-page-address*")] == [True]


def test_what_is_searched_for_is_in_no_log(clickhouse: None, tmp_path: Path) -> None:
    output = tmp_path / "output"
    handle = f"{WORD}.example.com"
    store(identity(ALICE, handle, at=ago(hours=1)), post(ALICE, at=ago(hours=2), text=f"{WORD} heron", images=("a",)))
    for service in running(output=output, PUBLIC_PAGE="1", PUBLIC_PAGE_PER_MINUTE="1000"):
        for query in (WORD, f"{WORD} heron", f"from:{handle}", f"{WORD} is:green", f"({WORD}", f"from:{WORD}.invalid"):
            for path in ("/", "/people"):
                for sort in ("latest", "top"):
                    assert service.get(path, q=query, sort=sort).status_code in (200, 400)
        assert service.get("/", q=WORD, cursor="x").status_code == 400
    door.execute("SYSTEM FLUSH LOGS", name="tests.flush")
    logged = (
        "SELECT count() FROM system.query_log WHERE position(query, {word:String}) > 0 AND log_comment != 'tests.log'"
        " AND query NOT LIKE 'INSERT%'"
    )
    assert door.scalar(logged, {"word": WORD}, name="tests.log") == 0
    assert WORD not in output.read_text(encoding="utf-8")
