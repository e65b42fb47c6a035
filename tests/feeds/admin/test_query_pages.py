"""The admin of feeds made of a search: form, check of a query, unsaved settings, why a post is in, backtests."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from atsite.core.clock import now_us
from feeds import backtests
from feeds.models import Backtest, FeedDefinition
from labels import membership
from labels.models import Block, Label
from tests import builders as b
from tests.feeds import administration
from tests.feeds.administration import FEEDS, browser, content, form_of, page_of
from tests.feeds.worlds import HOUR, MINUTE, actor
from tests.rows import Record, store

if TYPE_CHECKING:
    import redis
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
ADD = f"{FEEDS}add/?kind=search"
QUERY = f"{FEEDS}query/"
TRIAL = f"{FEEDS}trial/"


@pytest.fixture(autouse=True)
def _site(clickhouse: None, valkey: redis.Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


@pytest.fixture
def editor() -> Client:
    return browser()


def sent(client: Client, page: str = ADD, **changes: str) -> dict[str, str]:
    """What the form would send, with some fields filled in."""
    filled = {"rkey": "apples", "display_name": "Apples", "parameter_query": "apples"}
    return {**form_of(content(client, page)), **(filled if page == ADD else {}), **changes}


def feed(**parameters: Any) -> FeedDefinition:
    row = FeedDefinition(
        rkey="apples", kind="search", display_name="Apples", parameters={"query": "apples", **parameters}
    )
    row.full_clean()
    row.save()
    return row


def shown(page: str) -> list[str]:
    return re.findall(r'<li class="pg-card pg-post" data-uri="([^"]*)"', page)


def test_a_feed_is_made_of_a_search_and_changed(editor: Client) -> None:
    membership.assign("mpls", b.ALICE, by="test")
    form = sent(editor, parameter_languages="en, pt-BR,\n en", parameter_blocked_words="pears\nrotten apples")
    assert editor.post(ADD, {**form, "parameter_members_of": "mpls", "parameter_order": "top"}).status_code == 302
    row = FeedDefinition.objects.get(rkey="apples")
    assert (row.kind, row.visibility, row.parameters) == (
        "search",
        "public",
        {
            "query": "apples",
            "order": "top",
            "members_of": "mpls",
            "languages": ["en", "pt-BR"],
            "blocked_words": ["pears", "rotten apples"],
        },
    )
    page = page_of("apples")
    again = sent(editor, page)
    assert (again["parameter_languages"], again["parameter_blocked_words"]) == ("en, pt-BR", "pears, rotten apples")
    editor.post(page, {**again, "parameter_languages": "", "parameter_members_of": ""})
    row.refresh_from_db()
    assert row.parameters == {"query": "apples", "order": "top", "blocked_words": ["pears", "rotten apples"]}
    assert 'name="visibility"' not in content(editor, page)  # everyone can read it


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("query", "apples (pears", 'This "(" is not closed; put it in quotes to search for it (character 8).'),
        ("query", "-apples", "The query only excludes posts: add a word that they must have (character 1)."),
        ("query", "apples to:me", "To:me means nobody in a feed, which has many readers (character 8)."),
        ("query", "lang:!", "Lang: not a language code, such as en or pt-BR (character 1)."),
        ("query", "", "This field is required."),
        ("query", "apples " * 1_500, "The query is longer than 10240 bytes (character 1)."),
        ("languages", "English", "Enter languages such as ja or pt (includes pt-BR), at most 10, with commas"),
        ("blocked_words", "x" * 101, "Enter words or phrases of at most 100 characters, at most 200, with commas"),
        ("hours", "169", "less than or equal to 168"),
    ],
)
def test_a_form_that_cannot_be_saved_says_why_at_the_field(field: str, value: str, error: str, editor: Client) -> None:
    answer = editor.post(ADD, sent(editor, **{f"parameter_{field}": value}))
    assert answer.status_code == 200
    assert error in html.unescape(answer.content.decode())
    assert not FeedDefinition.objects.filter(rkey="apples").exists()


def test_a_label_that_a_feed_names_exists_and_lists_it(editor: Client) -> None:
    feed(members_of="mpls")
    row = FeedDefinition.objects.get(rkey="apples")
    assert not row.label
    assert "apples" in content(editor, reverse("admin:labels_label_change", args=(Label.objects.get(name="mpls").pk,)))
    row.parameters = {"query": "apples", "members_of": "nobody"}
    with pytest.raises(Exception, match="the label 'nobody' does not exist"):
        row.full_clean()


@pytest.mark.parametrize(
    ("query", "judged"),
    [
        ("apples   OR  pears", {"problem": "", "at": 0, "read_as": "apples OR pears", "note": ""}),
        ("", {"problem": "", "at": 0, "read_as": "", "note": ""}),
        (
            'apples "pears',
            {"problem": "This quote is not closed.", "at": 7, "read_as": "", "note": ""},
        ),
        (
            "apples from:nobody.example.com",
            {
                "problem": "From: no account has the handle nobody.example.com, or it cannot be found now; give the"
                " did.",
                "at": 7,
                "read_as": "",
                "note": "",
            },
        ),
    ],
)
def test_a_query_is_judged_while_it_is_typed(query: str, judged: dict[str, Any], editor: Client) -> None:
    assert editor.post(QUERY, {"query": query}).json() == judged


def test_a_query_that_no_index_helps_says_so(editor: Client) -> None:
    assert editor.post(QUERY, {"query": "has:images"}).json()["note"].startswith("No index helps with this query")


def test_queries_are_judged_for_those_who_may_change_feeds() -> None:
    for names, status in (((), 403), (("change_feeddefinition",), 200), (("add_feeddefinition",), 200)):
        client = browser(f"user-{'-'.join(names)}", *(names or ("view_feeddefinition",)))
        assert client.post(QUERY, {"query": "apples"}).status_code == status


def apples(count: int = 3) -> list[Record]:
    rows = [b.post(actor(n), at=now_us() - (n + 1) * MINUTE, text=f"apples {n}") for n in range(count)]
    store(*rows, b.post(actor(9), at=now_us() - MINUTE, text="pears"))
    return rows


@pytest.mark.parametrize("order", ["newest", "hot", "top"])
def test_unsaved_settings_are_previewed(order: str, editor: Client) -> None:
    rows = apples()
    store(*(b.like(actor(100 + n), row, at=now_us()) for place, row in enumerate(rows) for n in range(9 - place)))
    form = sent(editor, parameter_order=order, rkey="", display_name="")
    page = html.unescape(editor.post(TRIAL, form).content.decode())
    assert shown(page) == [row.uri for row in rows]
    assert "Nothing is saved" in page
    wrong = html.unescape(editor.post(TRIAL, {**form, "parameter_query": "("}).content.decode())
    assert "Query: A word is missing here (character 2)." in wrong
    assert not FeedDefinition.objects.filter(kind="search").exists()


def test_unsaved_settings_of_a_feed_leave_it_as_it_is(editor: Client) -> None:
    apples()
    row = feed()
    form = sent(editor, page_of("apples"), parameter_query="pears")
    (uri,) = shown(editor.post(f"{TRIAL}?feed={row.pk}", form).content.decode())
    assert actor(9) in uri
    row.refresh_from_db()
    assert row.parameters == {"query": "apples"}
    assert len(shown(content(editor, page_of("apples", "preview")))) == 3


def test_any_kind_of_feed_is_previewed_unsaved(editor: Client) -> None:
    row = FeedDefinition.objects.get(rkey="top-1h")
    form = sent(editor, page_of("top-1h"), parameter_min_likes="1")
    (liked, *_) = apples()
    store(b.like(actor(100), liked, at=now_us()))
    assert shown(editor.post(f"{TRIAL}?feed={row.pk}", form).content.decode()) == [liked.uri]


def why(client: Client, post: str) -> dict[str, str]:
    """Each finding with yes or no."""
    page = content(client, f"{page_of('apples', 'why')}?post={post}")
    found = re.findall(r">(yes|no)</strong>.*?<bdi>(.*?)</bdi>", page, re.DOTALL)
    return {html.unescape(what): answer for answer, what in found}


def test_a_page_says_what_holds_for_a_post_and_what_does_not(editor: Client) -> None:
    row = feed(query="(apples OR plums) -(pears OR rotten) #fruit", languages=["en"], blocked_words=["spam"])
    posted = now_us() - HOUR
    good = b.post(actor(1), at=posted, text="apples", tags=["Fruit"], langs=("en",))
    bad = b.post(actor(2), at=posted, text="plums, rotten spam", reply_to=good, labels=["x"], langs=("de",))
    store(good, bad)
    holds = {
        "at least one of:": "yes",
        "apples": "yes",
        "plums": "no",
        "none of:": "yes",
        "pears": "no",
        "rotten": "no",
        "#fruit": "yes",
        "its languages: lang:en": "yes",
        "it has none of the blocked words": "yes",
        "it is not a reply": "yes",
        "its author did not label it": "yes",
        "its author follows fewer than 4000 accounts": "yes",
        "it is not deleted": "yes",
        "its record key and its createdAt are plausible": "yes",
        "its author's account is active and not purged": "yes",
        "neither it nor its author is blocked in this feed": "yes",
    }
    assert why(editor, good.uri) == holds
    assert "it is in the feed" in content(editor, f"{page_of('apples', 'why')}?post={good.uri}")
    failed = {what for what, answer in why(editor, bad.uri).items() if answer == "no"}
    assert failed == {
        "apples",
        "none of:",
        "pears",
        "#fruit",
        "its languages: lang:en",
        "it has none of the blocked words, but it has: spam",
        "it is not a reply",
        "its author did not label it",
    }
    Block.objects.create(subject=good.did, feed="apples", created_by="test")
    store(b.account(actor(1), active=False, at=now_us()))
    assert {what for what, answer in why(editor, good.uri).items() if answer == "no"} >= {
        "its author's account is active and not purged"
    }
    assert row.rkey == "apples"


def test_likes_and_age_decide_in_a_ranked_feed(editor: Client) -> None:
    feed(order="top", hours=2, min_likes=3, min_age_minutes=30)
    old, young = (b.post(actor(n), at=now_us() - age, text="apples") for n, age in ((1, 3 * HOUR), (2, 10 * MINUTE)))
    store(old, young, *(b.like(actor(10 + n), old, at=now_us() - MINUTE) for n in range(4)))
    found = why(editor, old.uri)
    assert found["it is at most 2 hours old"] == "no"
    assert found["it has at least 3 likes: 4 now"] == "yes"
    found = why(editor, young.uri)
    assert (found["it is at most 2 hours old"], found["it is at least 30 minutes old"]) == ("yes", "no")
    assert found["it has at least 3 likes: 0 now"] == "no"


def test_the_day_that_is_read_without_an_index_is_told(editor: Client) -> None:
    feed(query="is:root")
    old = b.post(actor(1), at=now_us() - 30 * HOUR, text="apples")
    store(old)
    (finding,) = [what for what, answer in why(editor, old.uri).items() if answer == "no"]
    assert "no index helps with this query" in finding


def test_a_post_that_is_none_or_not_indexed_is_told(editor: Client) -> None:
    feed()
    page = page_of("apples", "why")
    assert "Enter the address of a post" in content(editor, f"{page}?post=nothing")
    unknown = f"at://{b.ALICE}/app.bsky.feed.post/3laaaaaaaaaa2"
    assert "The post is not in the index" in content(editor, f"{page}?post={unknown}")
    other = page_of("top-1h", "why")
    assert "This feed is not made of a query." in content(editor, f"{other}?post={unknown}")


def test_a_backtest_is_asked_for_counted_and_drawn(editor: Client) -> None:
    row = feed()
    page = page_of("apples", "backtest")
    assert "Nothing has been counted yet." in content(editor, page)
    apples(3)
    store(*(b.post(actor(n), at=now_us() - 3 * 24 * HOUR, text="apples") for n in range(4)))
    assert editor.post(page).status_code == 302
    assert "waits for a worker" in content(editor, page)
    assert editor.get(page, headers={"accept": "application/json"}).json() == {"done": 0, "working": True}
    editor.post(page)
    assert "being counted already" in content(editor, page)
    backtests.run_due()
    assert editor.get(page, headers={"accept": "application/json"}).json() == {"done": 14, "working": False}
    told = content(editor, page)
    assert "Posts per day: <strong>7</strong>" in " ".join(told.split())
    oldest = backtests.days_of(Backtest.objects.get().result)[-4].day
    assert f"The index has posts from {oldest} on" in told
    assert "The settings have changed since" not in told
    row.parameters = {"query": "pears"}
    row.save()
    assert "The settings have changed since" in content(editor, page)
    Backtest.objects.update(state=Backtest.State.FAILED, reason="counting 2026-11-30 took longer than 30 s")
    failed = content(editor, page)
    assert "The last count failed after 14 of 14 days." in failed
    assert "Counting 2026-11-30 took longer than 30 s" in failed


def test_only_feeds_made_of_a_query_have_its_pages(editor: Client) -> None:
    feed()
    tabs = ("Why this post?", "Posts per day")
    assert all(tab in content(editor, page_of("apples")) for tab in tabs)
    assert not any(tab in content(editor, page_of("top-1h")) for tab in tabs)
    assert "Only feeds that are made of a query" in content(editor, page_of("top-1h", "backtest"))
    editor.post(page_of("top-1h", "backtest"))
    assert not Backtest.objects.exists()
