from __future__ import annotations

from feeds.ranking.spam_guard import mass_followers
from tests import builders as b
from tests.feeds.worlds import actor
from tests.rows import store


def test_of_those_asked_about_the_ones_who_follow_as_many_or_more_are_told(clickhouse: None) -> None:
    few, least, many, other = (actor(number) for number in range(4))
    for did, follows in ((few, 2), (least, 3), (many, 4), (other, 4)):
        store(*(b.follow(did, actor(10 + number), at=b.ago(hours=1)) for number in range(follows)))
    assert mass_followers([many, few, least], least=3) == {least, many}
