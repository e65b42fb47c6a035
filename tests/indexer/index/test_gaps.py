from __future__ import annotations

from dataclasses import replace

import pytest

from atsite.core.clock import HOUR_US
from indexer.index.gaps import SLACK_US, Gap, GapReason, Resumed, first_of, gap_of
from tests.indexer.frames import MINUTE, T0

NOW = T0 + 100 * HOUR_US
RESUMED = Resumed(T0 - MINUTE, T0)
ASKED = Resumed(T0, T0)
FIRST_START = Resumed(T0, T0, expects_gap=True)
DAY_US = 24 * HOUR_US
#: A host whose clock is a day fast; by the local clock everything up to T0 is there.
AHEAD = Resumed(T0 + DAY_US - MINUTE, T0 + DAY_US, plausible_us=T0)


@pytest.mark.parametrize(
    ("resumed", "first_us", "filtered", "gap"),
    [
        (RESUMED, T0 - MINUTE, False, None),
        (RESUMED, T0, False, None),
        (RESUMED, T0 + SLACK_US, False, None),
        (RESUMED, T0 + SLACK_US + 1, False, Gap(T0, T0 + SLACK_US + 1, GapReason.CLAMPED)),
        (RESUMED, T0 - MINUTE - SLACK_US, False, None),
        (RESUMED, T0 - 2 * MINUTE, False, Gap(T0 - 2 * MINUTE, T0, GapReason.FUTURE)),
        (ASKED, T0 + HOUR_US, False, Gap(T0, T0 + HOUR_US, GapReason.CLAMPED)),
        (FIRST_START, T0 + HOUR_US, False, None),
        (FIRST_START, T0 - HOUR_US, False, Gap(T0 - HOUR_US, T0, GapReason.FUTURE)),
        (RESUMED, T0 + HOUR_US, True, Gap(T0, NOW - 36 * HOUR_US, GapReason.TOO_OLD)),
        (Resumed(NOW - HOUR_US, NOW), NOW + HOUR_US, True, None),
        (RESUMED, T0 - HOUR_US, True, Gap(T0 - HOUR_US, T0, GapReason.FUTURE)),
        (replace(RESUMED, refused=True), T0 + 1, False, Gap(T0, T0 + 1, GapReason.REFUSED)),
        (replace(RESUMED, refused=True), T0 + 1, True, Gap(T0, T0 + 1, GapReason.REFUSED)),
        (replace(RESUMED, refused=True), T0 - HOUR_US, False, Gap(T0 - HOUR_US, T0, GapReason.FUTURE)),
        (replace(FIRST_START, refused=True), T0 + HOUR_US, False, Gap(T0, T0 + HOUR_US, GapReason.REFUSED)),
        (AHEAD, T0 + DAY_US - MINUTE, False, None),
        (AHEAD, T0 + MINUTE, False, Gap(T0, T0 + MINUTE, GapReason.FUTURE)),
        (AHEAD, T0 + 2 * DAY_US, False, Gap(T0, T0 + 2 * DAY_US, GapReason.CLAMPED)),
        (replace(AHEAD, refused=True), T0 + MINUTE, False, Gap(T0, T0 + MINUTE, GapReason.REFUSED)),
    ],
)
def test_the_first_event_tells_whether_something_was_left_out(
    resumed: Resumed, first_us: int, filtered: bool, gap: Gap | None
) -> None:
    assert gap_of(resumed, first_us, filtered=filtered, now_us=NOW, lookback_hours=36) == gap


@pytest.mark.parametrize(
    ("times", "first_us"),
    [
        ([T0, T0 + 1], T0),
        ([T0 - HOUR_US, T0 + 1], T0 + 1),
        ([T0 - MINUTE - SLACK_US, T0], T0 - MINUTE - SLACK_US),
        ([T0 - HOUR_US, T0 - HOUR_US + 1], T0 - HOUR_US),
    ],
)
def test_one_event_far_behind_its_neighbours_does_not_say_where_the_host_goes_on(
    times: list[int], first_us: int
) -> None:
    assert first_of(RESUMED, times) == first_us
