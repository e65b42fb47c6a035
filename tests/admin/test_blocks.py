"""Blocks in the admin: of an actor or a post, entered as people copy them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from feeds.models import FeedDefinition
from labels.models import Block
from tests import builders as b
from tests.feeds.administration import browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    Login = Callable[..., Client]

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("clickhouse", "valkey"),
]

ADD = "admin:labels_block_add"
RKEY = "3laaaaaaaaaa2"
POST = f"at://{b.ALICE}/app.bsky.feed.post/{RKEY}"


@pytest.mark.parametrize(
    ("entered", "blocked"),
    [
        (b.ALICE, b.ALICE),
        (f" https://bsky.app/profile/{b.ALICE} ", b.ALICE),
        (POST, POST),
        (f"https://bsky.app/profile/{b.ALICE}/post/{RKEY}", POST),
    ],
)
def test_an_actor_or_a_post_is_blocked_by_what_people_copy(login: Login, entered: str, blocked: str) -> None:
    answer = login("superuser").post(reverse(ADD), {"subject": entered, "feed": "", "note": ""})
    assert answer.status_code == 302
    assert [(row.subject, row.created_by) for row in Block.objects.all()] == [(blocked, "superuser")]


@pytest.mark.parametrize("entered", ["", "not an actor", "at://nobody", f"https://bsky.app/profile/x y/post/{RKEY}"])
def test_what_is_neither_is_sent_back(login: Login, entered: str) -> None:
    answer = login("superuser").post(reverse(ADD), {"subject": entered, "feed": "", "note": ""})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors.keys() == {"subject"}
    assert not Block.objects.exists()


def test_a_block_is_for_a_feed_that_there_is_or_for_everywhere(login: Login) -> None:
    client = login("superuser")
    FeedDefinition.objects.all().delete()
    for rkey, name in (("whats-hot", "What's hot"), ("bangers", "Bangers")):
        FeedDefinition.objects.create(rkey=rkey, kind="top", display_name=name)
    form = client.get(reverse(ADD)).context["adminform"].form
    assert form.fields["feed"].choices == [
        ("", "Everywhere: every feed and search"),
        ("bangers", "Bangers (bangers)"),
        ("whats-hot", "What's hot (whats-hot)"),
    ]
    answer = client.post(reverse(ADD), {"subject": POST, "feed": "no-such-feed", "note": ""})
    assert answer.context["adminform"].form.errors.keys() == {"feed"}
    assert client.post(reverse(ADD), {"subject": POST, "feed": "bangers", "note": ""}).status_code == 302
    assert Block.objects.get().feed == "bangers"


def test_a_block_for_a_feed_that_is_gone_is_still_edited(login: Login) -> None:
    client = login("superuser")
    FeedDefinition.objects.all().delete()
    block = Block.objects.create(subject=POST, feed="long-gone")
    page = reverse("admin:labels_block_change", args=(block.pk,))
    fields = client.get(page).context["adminform"].form.fields
    assert fields["feed"].choices[1:] == [("long-gone", "long-gone: this feed no longer exists")]
    answer = client.post(page, {"subject": POST, "feed": "long-gone", "note": "why"})
    assert answer.status_code == 302
    block.refresh_from_db()
    assert (block.feed, block.note) == ("long-gone", "why")


def test_who_may_only_look_reads_the_labels_of_the_form() -> None:
    page = reverse("admin:labels_block_change", args=(Block.objects.create(subject=POST).pk,))
    lines = [line for lines in browser("viewer", "view_block").get(page).context["adminform"] for line in lines]
    assert [str(field.field["label"]) for line in lines for field in line][:3] == ["Actor or post", "Where", "note"]


def test_the_list_tells_whom_by_name_what_and_where(login: Login) -> None:
    b.store(b.identity(b.ALICE, "alice.example.com", at=b.ago(days=1)))
    Block.objects.create(subject=b.ALICE)
    Block.objects.create(subject=POST, feed="whats-hot")
    content = login("superuser").get(reverse("admin:labels_block_changelist")).content.decode()
    assert content.count("@alice.example.com") == 2
    for words in ("everything", "everywhere", POST, "whats-hot"):
        assert words in content
