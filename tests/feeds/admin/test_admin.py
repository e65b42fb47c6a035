"""Feeds as forms: each kind asks for what it knows, with its help; nobody's change is lost; and who may do what."""

from __future__ import annotations

import dataclasses
import html
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from atsite.core.config import config
from feeds.admin import feeds
from feeds.models import FeedDefinition, PinnedPost
from feeds.ranking.feed import InvalidDefinition
from feeds.usage import counting, queries
from feeds.usage.counting import Recorder
from labels import membership
from labels.models import Label
from tests import builders as b
from tests.away import clickhouse_away
from tests.feeds import administration
from tests.feeds.administration import FEEDS, browser, content, form_of, page_of
from tests.feeds.kind_cases import PUBLISHER
from tests.indexer.fill.test_view import fill
from tests.rows import store

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

POST = f"at://{b.ALICE}/app.bsky.feed.post/3kabcdefghij2"


@pytest.fixture(autouse=True)
def _site(clickhouse: None, valkey: redis.Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


@pytest.fixture
def editor() -> Client:
    return browser()


def feed(rkey: str) -> FeedDefinition:
    return FeedDefinition.objects.get(rkey=rkey)


def save(client: Client, page: str, **changes: Any) -> str:
    """What is said when the form on that page is sent with these changes; "" where it was saved."""
    sent = {**form_of(client.get(page).content.decode()), **changes}
    response = client.post(page, {name: value for name, value in sent.items() if value is not None})
    return "" if response.status_code == 302 else html.unescape(response.content.decode())


def test_a_new_feed_begins_with_its_kind(editor: Client) -> None:
    page = content(editor, f"{FEEDS}add/")
    assert re.findall(r'href="[^"]*\?kind=(\w+)"', page) == ["hot", "label", "search", "static", "top"]
    assert "Recent posts by likes; the score falls with age" in page
    assert content(editor, f"{FEEDS}add/?kind=lukewarm").count("?kind=") == 5


@pytest.mark.parametrize(
    ("kind", "fields", "stored"),
    [
        ("hot", {}, {}),
        ("hot", {"parameter_min_likes": "3", "parameter_language": "ja"}, {"min_likes": 3, "language": "ja"}),
        ("top", {"parameter_hours": "2", "parameter_media": "with"}, {"hours": 2, "media": "with"}),
        ("top", {"parameter_min_age_minutes": "0"}, {}),
        ("label", {"parameter_label": "mpls", "parameter_replies": "on"}, {"label": "mpls", "replies": True}),
        ("static", {"parameter_source": "network_best"}, {"source": "network_best"}),
    ],
)
def test_each_kind_has_its_own_form(editor: Client, kind: str, fields: dict[str, str], stored: dict[str, Any]) -> None:
    page = f"{FEEDS}add/?kind={kind}"
    assert save(editor, page, rkey="mine", display_name="Mine", **fields) == ""
    assert (feed("mine").kind, feed("mine").parameters, feed("mine").visibility) == (kind, stored, "public")
    assert feed("mine").history.get().history_user.username == "editor"


@pytest.mark.parametrize(
    ("rkey", "fields", "said"),
    [
        ("top-1h", {"parameter_hours": "2"}, True),
        ("top-1h", {"display_name": "Another"}, False),
        ("a-mpls", {"parameter_replies": "on"}, False),
    ],
)
def test_who_changes_what_is_ranked_is_told_when_it_shows(
    editor: Client, rkey: str, fields: dict[str, str], said: bool
) -> None:
    assert save(editor, page_of(rkey), **fields) == ""
    told = "The ranking is refreshed within a minute. To refresh it now, open the preview."
    assert (told in content(editor, FEEDS)) is said


def test_every_parameter_is_explained_with_its_bounds_and_default_and_nothing_asks_for_json(editor: Client) -> None:
    page = content(editor, page_of("top-1h"))
    assert "Maximum age of a post, in hours. From 1 to 168. Empty: 24." in page
    assert 'name="parameter_hours" value="1"' in page
    assert "Only posts with pictures or a video" not in page.partition("<select")[0]
    assert 'name="parameters"' not in page
    assert "Empty: 7." in content(editor, page_of("whats-hot"))  # the site's own least number of likes


def test_a_label_is_chosen_among_those_there_are(editor: Client) -> None:
    Label.objects.create(name="gardeners", meaning="who garden")
    page = content(editor, page_of("a-mpls"))
    assert "gardeners: who garden" in page
    assert re.findall(r'<option value="(\w+)"\s+selected>mpls', page) == ["mpls"]
    assert "Select a valid choice" in save(editor, page_of("a-mpls"), parameter_label="nobody")
    assert save(editor, page_of("a-mpls"), parameter_label="gardeners") == ""
    assert feed("a-mpls").parameters == {"label": "gardeners"}
    assert feed("a-mpls").visibility == "private"


@pytest.mark.parametrize(
    ("rkey", "fields", "sentence"),
    [
        ("top-1h", {"parameter_hours": "0"}, "greater than or equal to 1"),
        ("top-1h", {"parameter_hours": "many"}, "Enter a whole number"),
        ("top-1h", {"parameter_language": "J A"}, "Enter a language such as ja"),
        ("top-1h", {"parameter_media": "some"}, "Select a valid choice"),
        ("a-mpls", {"parameter_label": ""}, "This field is required"),
        (
            "top-1h",
            {"pinned_post": "https://bsky.app/profile/nobody.test/post/3k"},
            "The handle nobody.test is not known here",
        ),
        (
            "top-1h",
            {"pinned_post": "https://bsky.app/profile/handle.invalid/post/3k"},
            "handle.invalid names no account",
        ),
        ("a-mpls", {"instructions_post": "https://bsky.app/"}, "Enter the address of a post"),
    ],
)
def test_the_form_says_what_is_wrong(editor: Client, rkey: str, fields: dict[str, str], sentence: str) -> None:
    before = FeedDefinition.objects.values().get(rkey=rkey)
    assert sentence in save(editor, page_of(rkey), **fields)
    assert FeedDefinition.objects.values().get(rkey=rkey) == before


def test_what_is_wrong_with_no_field_alone_is_said_once_each_field_is_right(
    editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise InvalidDefinition("these two contradict each other")

    monkeypatch.setattr("feeds.validation.make_feed", refused)
    assert "these two contradict each other" in save(editor, page_of("top-1h"))
    assert "these two contradict each other" not in save(editor, page_of("top-1h"), parameter_hours="0")


@pytest.mark.parametrize("fields", [{"rkey": "a b"}, {"rkey": "mine", "parameter_label": ""}])
def test_one_mistake_is_told_once(editor: Client, fields: dict[str, str]) -> None:
    page = f"{FEEDS}add/?kind=label"
    sent = {**form_of(editor.get(page).content.decode()), "display_name": "Mine", "parameter_label": "mpls", **fields}
    form = editor.post(page, sent).context["adminform"].form
    assert [len(sentences) for sentences in form.errors.values()] == [1]
    assert form.errors.keys() <= fields.keys()


def test_a_post_that_the_index_does_not_hold_is_saved_with_a_word(editor: Client) -> None:
    known = b.post(b.BOB, at=b.ago(days=1), text="rules")
    store(known)

    def told(rkey: str, **changes: str) -> list[str]:
        page = page_of(rkey)
        sent = {**form_of(editor.get(page).content.decode()), **changes}
        return [str(each) for each in editor.post(page, sent, follow=True).context["messages"] if "index" in str(each)]

    (sentence,) = told("a-mpls", pinned_post=known.uri, instructions_post=POST)
    assert sentence.startswith(f"The instructions post is not in the index: {POST}. It was saved")
    assert (feed("a-mpls").pinned_post, feed("a-mpls").instructions_post) == (known.uri, POST)
    assert told("a-mpls", description="Another word") == []
    (sentence,) = told("bangers", **{"posts-0-uri": POST, "posts-0-position": "1"})
    assert sentence.startswith("A post in the list is not in the index")
    with clickhouse_away():
        assert told("top-1h", pinned_post=POST) == []
    assert feed("top-1h").pinned_post == POST


def test_a_name_that_the_publisher_has_already_is_refused(editor: Client) -> None:
    said = save(editor, f"{FEEDS}add/?kind=top", rkey="top-1h", publisher=PUBLISHER, display_name="Twice")
    assert "the publisher already has a feed with this name" in said


def test_what_is_left_empty_follows_the_default_again(editor: Client) -> None:
    assert save(editor, page_of("top-24h"), parameter_refresh_seconds="", parameter_hours="24") == ""
    assert feed("top-24h").parameters == {"hours": 24, "min_likes": 10}


def test_changing_the_kind_asks_first_and_tells_what_ends(editor: Client) -> None:
    asked = content(editor, page_of("a-mpls", "kind"))
    assert re.findall(r'\?kind=(\w+)"', asked) == ["hot", "search", "static", "top"]
    assert "label: mpls" in asked
    assert "private: everyone will be able to read this feed" in asked
    page = f"{page_of('a-mpls')}?kind=top"
    warned = content(editor, page)
    assert "Nothing has changed yet." in warned
    assert "Lost: label: mpls" in warned
    assert feed("a-mpls").kind == "label"
    assert save(editor, page, parameter_hours="3") == ""
    assert (feed("a-mpls").kind, feed("a-mpls").parameters, feed("a-mpls").visibility) == (
        "top",
        {"hours": 3},
        "public",
    )


def test_only_a_static_feed_has_a_list_and_its_posts_are_given_by_link(editor: Client) -> None:
    store(b.identity(b.ALICE, "alice.test", at=b.ago(hours=1)))
    assert "posts-TOTAL_FORMS" not in form_of(editor.get(page_of("top-1h")).content.decode())
    link = "https://bsky.app/profile/alice.test/post/3kabcdefghij2?ref=x"
    assert save(editor, page_of("bangers"), pinned_post=link, **{"posts-0-uri": link, "posts-0-position": "4"}) == ""
    assert list(feed("bangers").posts.values_list("position", "uri")) == [(4, POST)]
    assert feed("bangers").pinned_post == POST


@pytest.mark.parametrize(
    "link",
    [
        "bsky.app/profile/Alice.test/post/3kabcdefghij2",
        "https://bsky.app/profile/alice.test/post/3kabcdefghij2/liked-by?x=1#y",
        "\u202ahttps://bsky.app/profile/alice.test/post/3kabcdefghij2\u202c",
        "\u00a0https://bsky.app/profile/\u2068@alice.test\u2069/post/3kabcdefghij2/",
        f"\u202aat://{b.ALICE}/app.bsky.feed.post/3kabcdefghij2\u202c",
        "at://Alice.test/app.bsky.feed.post/3kabcdefghij2",
    ],
)
def test_a_post_is_read_as_people_paste_one(editor: Client, link: str) -> None:
    fill(b.ALICE, "alice.test", "Alice", at=b.ago(hours=1))
    assert save(editor, page_of("bangers"), pinned_post=link) == ""
    assert feed("bangers").pinned_post == POST


def test_name_and_publisher_are_fixed_once_the_feed_is_there(editor: Client) -> None:
    assert save(editor, page_of("top-1h"), rkey="other", publisher="did:plc:other", display_name="Other") == ""
    assert FeedDefinition.objects.filter(rkey="top-1h", publisher="", display_name="Other").exists()


def test_of_two_who_edit_a_feed_the_second_is_told_what_the_first_changed(editor: Client) -> None:
    second, page = browser("berta"), page_of("top-1h")
    opened = form_of(second.get(page).content.decode())
    assert save(editor, page, parameter_hours="5", display_name="Five") == ""
    told = second.post(page, {**opened, "description": "of Berta"})
    said = html.unescape(told.content.decode())
    assert re.search(r"editor changed this at [\d:]+ UTC, after you opened it: ", said)
    assert "display name: “Top: last hour” → “Five”" in said
    assert "of Berta" in said
    assert (feed("top-1h").description, feed("top-1h").parameters["hours"]) == (
        "The most liked posts of the last hour.",
        5,
    )


def test_a_change_of_the_list_alone_is_told_as_well(editor: Client) -> None:
    page = page_of("bangers")
    opened = form_of(editor.get(page).content.decode())
    PinnedPost.objects.create(feed=feed("bangers"), position=1, uri=POST)
    said = editor.post(page, {**opened, "display_name": "Mine"}).content.decode()
    assert "its list" in said
    assert feed("bangers").display_name == "Bangers"


def test_the_list_says_which_feed_is_not_served_and_leads_to_previews(editor: Client) -> None:
    FeedDefinition.objects.filter(rkey="top-1h").update(parameters={"hours": 0})
    page = content(editor, FEEDS)
    assert page.count("hours must be a whole number from 1 to 168") == 1
    feeds = FeedDefinition.objects
    assert page.count(">Preview</a>") == page.count(">Usage</a>") == feeds.count()
    assert page.count(">Members</a>") == feeds.filter(kind="label").count()
    (members,) = re.findall(r'href="([^"]*=mpls)">Members', page)
    membership.assign("mpls", b.ALICE, by="test")
    membership.assign("tqsp", b.BOB, by="test")
    assert re.findall(r"did:plc:\w+", content(editor, members)) == [b.ALICE]


def test_a_definition_that_broke_is_mended_by_its_form(editor: Client) -> None:
    FeedDefinition.objects.filter(rkey="top-1h").update(parameters={"hours": 0, "colour": "red"})
    assert save(editor, page_of("top-1h"), parameter_hours="2") == ""
    assert feed("top-1h").parameters == {"hours": 2}


def test_use_is_shown_by_day_with_what_was_counted_a_moment_ago(editor: Client) -> None:
    now = datetime.now(UTC)
    recorder = Recorder()
    for reader in (b.ALICE, b.BOB, None):
        recorder.count("requests", "top-1h", reader, now=now)
    recorder.count("interactions", "top-1h", b.ALICE, times=5, now=now)
    recorder.count("requests", "whats-hot", b.ALICE, now=now)
    recorder.flush()
    queries.store_usage(counting.counted(now=now))
    recorder.count("requests", "top-1h", b.CAROL, now=now)
    recorder.flush()
    page = content(editor, page_of("top-1h", "use"))
    assert "Requests: <strong>4</strong>" in page
    assert "per day: <strong>3</strong>" in page
    assert "Interactions: <strong>5</strong>" in page
    assert re.search(r"About\s+<strong>3</strong>\s+different logged-in readers", page)
    assert page.count("<rect") == 3


def test_publishing_says_in_words_what_is_missing_and_never_shows_a_secret(editor: Client) -> None:
    page = content(editor, page_of("top-1h", "publishing"))
    assert f"at://{PUBLISHER}/app.bsky.feed.generator/top-1h" in page
    assert "SERVICE_ENDPOINT: the public https:// address of the feed generator." in page
    assert "PUBLISHER_APP_PASSWORD (or PUBLISHER_APP_PASSWORD_FILE): an app password of that account." in page
    assert 'value="publish"' not in page
    said = editor.post(page_of("top-1h", "publishing"), {"action": "publish"}).content.decode()
    assert "Not possible yet: SERVICE_ENDPOINT" in said
    checked = html.unescape(editor.post(page_of("top-1h", "publishing"), {"action": "check"}).content.decode())
    assert "SERVICE_ENDPOINT is not set: the network cannot find this service" in checked
    assert re.search(r"[2-4] of 4 steps are wrong\.", checked)


PAGES = ("change", "preview", "use", "publishing", "kind", "block", "refuse", "refresh")


@pytest.mark.parametrize("page", [page for page in PAGES if page != "change"])
def test_a_page_of_a_feed_that_is_gone_leads_back_to_the_list(editor: Client, page: str) -> None:
    answers = [method(f"{FEEDS}0/{page}/?uri={POST}") for method in (editor.get, editor.post)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, FEEDS)] * 2


def test_a_feed_without_a_stored_ranking_says_that_there_is_nothing_to_refresh(editor: Client) -> None:
    answer = editor.post(page_of("a-mpls", "refresh"), follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "This feed has no stored ranking: each page is read fresh, so there is nothing to refresh."
    ]


def test_without_clickhouse_the_usage_of_a_feed_says_so(editor: Client) -> None:
    with clickhouse_away():
        shown = content(editor, page_of("top-1h", "use"))
    assert "ClickHouse does not answer now. Nothing is lost: try again in a moment." in shown


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_gets_no_page_of_a_feed(page: str) -> None:
    for client, status in ((Client(), 302), (browser("nobody", "view_label"), 403)):
        for method in (client.get, client.post):
            response = method(page_of("top-1h", page), {"uri": POST})
            assert response.status_code == status, (page, method)
            assert status == 403 or response["Location"].startswith("/admin/login/")


def test_who_may_only_look_sees_the_real_values_under_the_labels_of_the_form() -> None:
    viewer = browser("viewer", "view_feeddefinition")
    Label.objects.filter(name="mpls").update(meaning="")
    FeedDefinition.objects.filter(rkey="a-mpls").update(parameters={"label": "mpls", "reposts": True})
    shown = {**settings_of(viewer, "a-mpls"), **settings_of(viewer, "top-1h"), **settings_of(viewer, "whats-hot")}
    told = {
        name: shown[name] for name in ("Label", "Replies", "Reposts", "Who can read it", "Hours", "Media", "Language")
    }
    assert told == {
        "Label": "mpls",
        "Replies": "no",
        "Reposts": "yes",
        "Who can read it": "only members of its label can read it",
        "Hours": "1",
        "Media": "All posts",
        "Language": "",
    }
    assert settings_of(viewer, "whats-hot")["Min likes"] == "7"  # the site's own


def settings_of(client: Client, rkey: str) -> dict[str, str]:
    """What a page without a form says: label -> value."""
    told: dict[str, str] = {}
    for line in client.get(page_of(rkey)).context["adminform"]:
        for row in line:
            told |= {str(field.field["label"]): str(field.contents()) for field in row}
    return told


def test_who_may_only_look_is_shown_no_way_to_change_anything() -> None:
    viewer = browser("viewer", "view_feeddefinition", "preview_feed")
    for page in ("change", "preview", "use"):
        shown = viewer.get(page_of("top-1h", page)).content.decode()
        assert re.findall(r'aria-label="Pages of this feed".*?</nav>', shown, re.DOTALL)
        assert not re.findall(r"/(?:refresh|publishing|kind|block|refuse)/", shown)
    refused = [
        viewer.post(page_of("top-1h", "refresh")),
        viewer.post(page_of("top-1h", "publishing"), {"action": "unpublish"}),
        viewer.get(page_of("top-1h", "kind")),
        viewer.post(f"{page_of('top-1h', 'block')}?uri={POST}", {"what": "post", "where": "here"}),
        viewer.post(f"{page_of('top-1h', 'refuse')}?uri={POST}", {}),
    ]
    assert [response.status_code for response in refused] == [403] * 5


@pytest.mark.parametrize(
    ("changes", "actor", "problem", "is_ranked"),
    [
        ({}, PUBLISHER, "", True),
        ({"enabled": False}, PUBLISHER, "switched off", True),
        ({"enabled": False, "waits_for_members": True}, PUBLISHER, "switched off until its label has a member", True),
        ({}, "", "FEED_ACTOR_DID is not set", False),
        ({"publisher": PUBLISHER}, "", "", True),
        ({"parameters": {"hours": 0}}, PUBLISHER, "hours must be a whole number from 1 to 168", False),
        ({"kind": "label", "parameters": {"label": "mpls"}}, PUBLISHER, "", False),
    ],
)
def test_a_feed_that_is_not_served_says_why(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], actor: str, problem: str, is_ranked: bool
) -> None:
    monkeypatch.setattr(feeds, "config", dataclasses.replace(config, feed_actor_did=actor))
    row = FeedDefinition(**{"rkey": "top", "kind": "top", "display_name": "Top", "enabled": True, **changes})
    assert (feeds.problem_of(row), feeds._is_ranked(row)) == (problem, is_ranked)
