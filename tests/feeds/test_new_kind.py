"""A kind of feed that no module of the site names: one record is enough for definitions, forms, pages and previews."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.exceptions import ValidationError

from feeds import definitions
from feeds.kinds import KINDS
from feeds.kinds.kind import Kind
from feeds.models import FeedDefinition, PinnedPost
from feeds.ranking.feed import FeedDescription, FeedPage, SkeletonPost, describe
from feeds.ranking.parameters import Between, LabelName, parameter, required
from feeds.serving import registry, skeleton
from feeds.serving.skeleton import Asked, Question
from labels import membership
from tests import builders as b
from tests.feeds import administration
from tests.feeds.administration import FEEDS, SITE, browser, content, form_of, page_of
from tests.rows import store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import redis
    from django.test import Client

    from atsite.core.config import Config
    from feeds.ranking.feed import Definition, FeedRequest, PostKey
    from feeds.ranking.page_data import FeedData

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@dataclass(frozen=True, slots=True)
class ShuffledParameters:
    """What a definition may say."""

    label: str = required(LabelName(), "Who carries it reads the feed where that is private.")
    step: int = parameter(2, Between(1, 9), "How many places each post moves.")


@dataclass(frozen=True)
class Shuffled:
    """The feed's own list, turned by some places."""

    definition: Definition
    parameters: ShuffledParameters
    data: FeedData

    @property
    def depends_on_viewer(self) -> bool:
        return self.definition.private

    def page(self, request: FeedRequest) -> FeedPage:
        shown = self.data.named(self.definition, self._turned())
        return FeedPage(tuple(SkeletonPost(post.uri) for post in self._turned() if post in shown))

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        return dict.fromkeys(posts, f"moved by {self.parameters.step}")

    def _turned(self) -> list[PostKey]:
        posts, step = self.definition.posts, self.parameters.step
        return [*posts[step:], *posts[:step]]


def _site_defaults(site: Config) -> Mapping[str, Any]:
    return {"step": 1 if site.feed_min_likes == 7 else 9}


KIND: Final = Kind(
    "shuffled",
    "Your list, turned.",
    ShuffledParameters,
    Shuffled,
    "Add posts to turn.",
    has_list=True,
    site_defaults=_site_defaults,
)


@pytest.fixture(autouse=True)
def _site(clickhouse: None, valkey: redis.Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)
    monkeypatch.setitem(KINDS, KIND.name, KIND)


@pytest.fixture
def editor() -> Client:
    return browser()


def test_it_is_chosen_and_filled_in_like_every_other(editor: Client) -> None:
    page = f"{FEEDS}add/?kind=shuffled"
    assert "Your list, turned." in content(editor, f"{FEEDS}add/")
    form = content(editor, page)
    assert "How many places each post moves. From 1 to 9. Empty: 1." in form  # the site's own
    assert 'name="posts-0-uri"' in form
    assert 'name="visibility"' in form
    sent = {**form_of(form), "rkey": "turned", "display_name": "Turned", "parameter_label": "mpls"}
    assert "less than or equal to 9" in editor.post(page, {**sent, "parameter_step": "10"}).content.decode()
    assert editor.post(page, {**sent, "parameter_step": "3", "visibility": "private"}).status_code == 302
    row = FeedDefinition.objects.get(rkey="turned")
    assert (row.kind, row.parameters, row.visibility) == ("shuffled", {"label": "mpls", "step": 3}, "private")
    assert ("turned", "Turned") in definitions.with_members()
    kinds = content(editor, page_of("whats-hot", "kind"))
    assert "Change to shuffled…" in kinds


def test_its_definitions_are_judged_by_what_it_declares() -> None:
    def feed(**parameters: Any) -> FeedDefinition:
        return FeedDefinition(rkey="turned", kind="shuffled", display_name="Turned", parameters=parameters)

    feed(label="mpls").full_clean()
    with pytest.raises(ValidationError, match="step must be a whole number from 1 to 9"):
        feed(label="mpls", step=0).full_clean()
    with pytest.raises(ValidationError, match="missing parameter: label"):
        feed().full_clean()
    with pytest.raises(ValidationError, match="the label 'nobody' does not exist"):
        feed(label="nobody").full_clean()


def test_it_is_served_and_previewed_with_its_own_reasons(editor: Client) -> None:
    row = FeedDefinition.objects.create(
        rkey="turned", kind="shuffled", display_name="Turned", parameters={"label": "mpls"}, visibility="private"
    )
    membership.assign("mpls", b.ALICE, by="test")
    preview = f"{page_of('turned', 'preview')}?as={b.ALICE}"
    assert "Add posts to turn." in content(editor, preview)
    posts = [b.post(b.BOB, at=b.ago(hours=hours), text=str(hours)) for hours in (1, 2, 3)]
    store(*posts)
    for position, post in enumerate(posts):
        PinnedPost.objects.create(feed=row, position=position, uri=post.uri)
    turned = [posts[1].uri, posts[2].uri, posts[0].uri]
    page = content(editor, preview)
    assert re.findall(r'data-uri="([^"]*)"', page) == turned
    assert page.count("moved by 1") == 3
    registry._copy.drop()
    feeds = registry.registry()
    uri = f"at://{SITE.feed_actor_did}/app.bsky.feed.generator/turned"
    for viewer, shown in ((b.ALICE, turned), (None, [])):
        body = json.loads(skeleton.answer(feeds, Asked(Question(uri, 50)), viewer).body)
        assert [entry["post"] for entry in body["feed"]] == shown
