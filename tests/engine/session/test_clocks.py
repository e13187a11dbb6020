from __future__ import annotations

import pytest

from intrabar.engine.session.clocks import Pace, Skew, blocks_from
from tests.engine.session.sealing import M, S


def test_skew_is_the_median_of_twenty() -> None:
    skew = Skew()
    assert skew.ns == 0
    skew.take(10 * S + 250_000_000, 10 * S, 500_000_000)  # half of the way there and back
    assert skew.ns == 0
    for k in range(20):
        skew.take(k * M + 3 * S, k * M)
    assert skew.ns == 3 * S
    for k in range(9):  # of a few that are far off nothing is believed
        skew.take(k * M + 900 * S, k * M)
    assert skew.ns == 3 * S


@pytest.mark.parametrize(
    ("wall", "tick", "moved"),
    [
        (60 * S, 60 * S, 0),
        (62 * S, 60 * S, 0),
        (62 * S + 1, 60 * S, 2 * S + 1),  # it slept, or the clock was set forward
        (58 * S, 60 * S, 0),
        (50 * S, 60 * S, -10 * S),  # the clock was set back
    ],
)
def test_wall_and_ticks_that_move_apart(wall: int, tick: int, moved: int) -> None:
    pace = Pace()
    start = 1_700_000_000 * S
    assert pace.moved(start, 5 * S) == 0
    assert pace.moved(start + wall, 5 * S + tick) == moved
    assert pace.moved(start + wall + S, 5 * S + tick + S) == 0  # told once


def test_what_skew_blocks() -> None:
    assert blocks_from(M) == 5 * S
    assert blocks_from(8 * S) == 2 * S
