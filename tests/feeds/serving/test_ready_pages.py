"""Pages kept for a moment: how old they get, who shares them, and which are never kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from atsite.core.atproto.syntax import Did
from feeds.ranking.feed import FeedPage, FeedUnavailable
from feeds.serving.ready_pages import SIZE, ReadyPages
from feeds.serving.skeleton import Answer, Asked, Question
from labels.standing import Standing
from tests.feeds.serving.test_skeleton import DEFINITION, Fixed

HOT = Asked(Question("at://did:plc:a/app.bsky.feed.generator/hot", 50))
ALICE, BOB = Did("did:plc:" + "a" * 24), Did("did:plc:" + "b" * 24)


@dataclass
class Maker:
    """Makes pages whose body is their number; each waits until it is let go on."""

    feed: Fixed = field(default_factory=lambda: Fixed(FeedPage()))
    asked: list[tuple[Asked, Did | None]] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False
    #: Whether a page that was asked for with a standing is the same for all readers with it.
    shares: bool = True
    now: float = 100.0

    def __post_init__(self) -> None:
        self.go_on.set()

    async def make(self, asked: Asked, viewer: Did | None) -> Answer:
        self.asked.append((asked, viewer))
        number = len(self.asked)
        await self.go_on.wait()
        if self.failing:
            raise FeedUnavailable("away")
        return Answer(b"%d" % number, self.feed, "page", asked.standing if self.shares else None)

    def pages(self) -> ReadyPages:
        return ReadyPages(self.make, clock=lambda: self.now)


def body(answer: Answer | None) -> bytes | None:
    return None if answer is None else answer.body


async def settle() -> None:
    """Let tasks that wait for nothing end."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_page_is_at_hand_for_less_than_half_a_second_from_the_start_of_its_making() -> None:
    maker = Maker()
    pages = maker.pages()
    assert pages.at_hand(HOT, None) is None
    maker.go_on.clear()
    making = asyncio.create_task(pages.page(HOT, None))
    await settle()
    maker.now += 0.2
    maker.go_on.set()
    assert body(await making) == b"1"
    maker.now += 0.09
    assert body(pages.at_hand(HOT, None)) == b"1"
    maker.go_on.clear()
    maker.now += 0.17
    assert pages.at_hand(HOT, None) is None  # 0.46 s
    maker.go_on.set()
    assert len(maker.asked) == 1


async def test_a_page_that_is_read_is_made_again_in_the_background_once() -> None:
    maker = Maker()
    pages = maker.pages()
    await pages.page(HOT, ALICE)
    maker.now += 0.29
    assert body(pages.at_hand(HOT, None)) == b"1"
    assert len(maker.asked) == 1
    maker.now += 0.02
    assert [body(pages.at_hand(HOT, None)) for _ in range(3)] == [b"1"] * 3
    await settle()
    assert maker.asked == [(HOT, ALICE), (HOT, None)]
    assert body(pages.at_hand(HOT, None)) == b"2"
    maker.now += 0.44
    assert body(pages.at_hand(HOT, None)) == b"2"


async def test_a_page_that_takes_long_is_made_again_so_early_that_the_new_one_is_there_in_time() -> None:
    maker = Maker()
    pages = maker.pages()
    maker.go_on.clear()
    making = asyncio.create_task(pages.page(HOT, None))
    await settle()
    maker.now += 0.15  # it is ready for 0.3 s more, and the next one takes half of that
    maker.go_on.set()
    await making
    maker.now -= 0.01
    assert body(pages.at_hand(HOT, None)) == b"1"
    assert len(maker.asked) == 1
    maker.now += 0.01
    assert body(pages.at_hand(HOT, None)) == b"1"
    await settle()
    assert len(maker.asked) == 2


async def test_a_renewal_that_fails_leaves_the_reason_to_the_next_reader_after_its_end() -> None:
    maker = Maker()
    pages = maker.pages()
    await pages.page(HOT, None)
    maker.failing = True
    maker.now += 0.31
    assert body(pages.at_hand(HOT, None)) == b"1"
    await settle()
    maker.now += 0.1
    assert body(pages.at_hand(HOT, None)) == b"1"
    maker.now += 0.1
    assert pages.at_hand(HOT, None) is None
    with pytest.raises(FeedUnavailable):
        await pages.page(HOT, None)
    maker.failing = False
    assert body(await pages.page(HOT, None)) == b"4"


async def test_readers_share_a_making_that_began_a_moment_before_and_none_that_is_older() -> None:
    maker = Maker()
    pages = maker.pages()
    await pages.page(HOT, None)
    maker.now += 1
    maker.go_on.clear()
    first = [asyncio.create_task(pages.page(HOT, ALICE)) for _ in range(3)]
    await settle()
    first[0].cancel()  # a reader who goes away takes nothing from the others
    maker.now += 0.46
    later = asyncio.create_task(pages.page(HOT, None))
    await settle()
    maker.go_on.set()
    assert [body(answer) for answer in await asyncio.gather(*first[1:], later)] == [b"2", b"2", b"3"]
    assert body(pages.at_hand(HOT, None)) == b"3"


async def test_a_making_that_ends_late_replaces_no_page_whose_making_began_later() -> None:
    maker = Maker()
    pages = maker.pages()
    await pages.page(HOT, None)
    maker.now += 1
    maker.go_on.clear()
    slow = asyncio.create_task(pages.page(HOT, None))
    await settle()
    held, maker.go_on = maker.go_on, asyncio.Event()
    maker.go_on.set()
    maker.now += 0.46
    assert body(await pages.page(HOT, None)) == b"3"
    held.set()
    assert body(await slow) == b"2"
    await settle()
    assert body(pages.at_hand(HOT, None)) == b"3"


@pytest.mark.parametrize("feed", ["personal", "of a label"])
async def test_a_page_that_may_differ_is_made_for_each_reader_and_never_kept(feed: str) -> None:
    maker = Maker()
    maker.feed = (
        Fixed(FeedPage(), depends_on_viewer=True)
        if feed == "personal"
        else Fixed(FeedPage(), definition=replace(DEFINITION, parameters={"label": "mpls"}))
    )
    pages = maker.pages()
    maker.go_on.clear()
    readers = [asyncio.create_task(pages.page(HOT, viewer)) for viewer in (ALICE, None)]
    await settle()
    maker.go_on.set()
    assert [body(answer) for answer in await asyncio.gather(*readers)] == [b"1", b"2"]
    assert maker.asked == [(HOT, ALICE), (HOT, None)]
    assert pages.at_hand(HOT, None) is None


async def test_a_feed_that_became_personal_is_kept_no_longer() -> None:
    maker = Maker()
    pages = maker.pages()
    await pages.page(HOT, None)
    maker.feed = Fixed(FeedPage(), depends_on_viewer=True)
    maker.now += 0.31
    pages.at_hand(HOT, None)
    await settle()
    assert pages.at_hand(HOT, None) is None


async def test_pages_are_bounded_and_the_oldest_goes_first() -> None:
    maker = Maker()
    pages = maker.pages()
    questions = [Asked(Question(HOT.question.feed, 1, str(number))) for number in range(2_001)]
    for question in questions:
        await pages.page(question, None)
    assert SIZE == 2_000
    assert pages.at_hand(questions[0], None) is None
    assert all(pages.at_hand(question, None) is not None for question in questions[1:])


MEMBER = Asked(HOT.question, Standing("mpls", True, b"v1"))


async def test_readers_of_one_standing_share_a_page_and_another_standing_or_version_has_its_own() -> None:
    maker = Maker(Fixed(FeedPage(), definition=replace(DEFINITION, parameters={"label": "mpls"})))
    pages = maker.pages()
    first = await asyncio.gather(pages.page(MEMBER, ALICE), pages.page(MEMBER, BOB))
    assert [answer.body for answer in first] == [b"1", b"1"]
    assert body(pages.at_hand(MEMBER, BOB)) == b"1"
    others = [
        Asked(HOT.question, Standing("mpls", False, b"v1")),
        Asked(HOT.question, Standing("mpls", None, b"v1")),
        Asked(HOT.question, Standing("mpls", True, b"v2")),
        Asked(HOT.question),
    ]
    assert [pages.at_hand(other, BOB) for other in others] == [None] * 4
    assert maker.asked == [(MEMBER, ALICE)]


@pytest.mark.parametrize("asked", [MEMBER, HOT])
async def test_a_page_that_turns_out_to_be_for_one_reader_is_not_given_to_the_next(asked: Asked) -> None:
    maker = Maker()
    pages = maker.pages()
    await pages.page(asked, ALICE)
    maker.feed, maker.shares = Fixed(FeedPage(), depends_on_viewer=True), False
    maker.now += 1
    maker.go_on.clear()
    readers = [asyncio.create_task(pages.page(asked, viewer)) for viewer in (ALICE, BOB)]
    await settle()
    maker.go_on.set()
    assert [answer.body for answer in await asyncio.gather(*readers)] == [b"2", b"3"]
    assert maker.asked == [(asked, ALICE), (asked, ALICE), (asked, BOB)]
    assert pages.at_hand(asked, ALICE) is None
