from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.path_truth import BRACKETS, LengthTruth, Tally, length_truth
from intrabar.data.detail import rows_inside
from intrabar.data.resample import resample
from intrabar.engine.outcome.path_truth import path_truth
from intrabar.model.bars import Bars

M = 60_000_000_000
TICK = 0.01
TINY = 1e-9

Row = tuple[float, float, float, float]


def minutes(rows: Sequence[Row], at: Sequence[int] | None = None) -> Bars:
    """Minute bars from rows of open, high, low, close; at the minutes given."""
    start = M * np.asarray(range(len(rows)) if at is None else at, np.int64)
    table = np.array(rows, float)
    return Bars(
        "X",
        start + M,
        *(np.ascontiguousarray(table[:, k]) for k in range(4)),
        np.ones(len(rows)),
        M,
        start,
        start // (1440 * M),
    )


def measured(detail: Bars, period: int = 5 * M) -> LengthTruth:
    bars = resample(detail, period)
    return length_truth(bars, detail, *rows_inside(bars.open_time, bars.close_time, detail), TICK)


# Five minutes each, in which the price goes ...
DOWN_THEN_UP = [(10, 10, 8, 8), (8, 9, 8, 9), (9, 12, 9, 12), (12, 12, 11, 11), (11, 11, 11, 11)]
UP_THEN_DOWN = [(10, 13, 10, 13), (13, 13, 9, 9), (9, 9, 7, 7), (7, 8, 7, 8), (8, 9, 8, 9)]
BOTH_AT_ONCE = [(10, 12, 8, 11), (11, 11, 10, 10), (10, 10, 9, 9), (9, 9, 9, 9), (9, 9, 9, 9)]
STILL = [(10, 10, 10, 10)] * 5
# Closes below its open, and yet saw its low first: `shortest` is wrong here.
LOW_FIRST_AND_DOWN = [(10, 10, 7, 7), (7, 13, 7, 13), (13, 13, 9, 9), (9, 9, 9, 9), (9, 9, 9, 9)]
# Closes at its open, and saw the low, which is nearer, first.
TIE = [(10, 10, 9, 9), (9, 12, 9, 12), (12, 12, 10, 10), (10, 10, 10, 10), (10, 10, 10, 10)]


def test_first_extremes_by_hand() -> None:
    rows = [DOWN_THEN_UP, UP_THEN_DOWN, BOTH_AT_ONCE, STILL, LOW_FIRST_AND_DOWN, TIE]
    found = measured(minutes([row for bar in rows for row in bar])).extremes
    assert (found.bars, found.flat, found.untold) == (6, 1, 1)
    assert found.shortest == Tally(2, 3)  # not the bar that closes below its open
    assert found.shortest_ties == Tally(1, 1)
    # DOWN_THEN_UP, UP_THEN_DOWN and LOW_FIRST_AND_DOWN have both extremes as far from the open:
    # `nearest` falls back on the close, and is wrong once; TIE is the one it can answer.
    assert found.nearest == Tally(1, 1)
    assert found.nearest_ties == Tally(2, 3)


def test_a_bar_is_made_of_the_detail_that_there_is() -> None:
    # The first and the third bar have two minutes each; nothing is there of the second.
    detail = minutes([DOWN_THEN_UP[0], DOWN_THEN_UP[2], *UP_THEN_DOWN[:3]], [1, 3, 10, 11, 14])
    found = measured(detail).extremes
    assert (found.bars, found.untold) == (2, 0)
    assert found.shortest == Tally(2, 2)


def test_pairs_by_hand() -> None:
    bars = [DOWN_THEN_UP, UP_THEN_DOWN] * 3  # the median range is 5
    found = measured(minutes([row for bar in bars for row in bar])).pairs
    assert [(p.stop, p.target) for p in found] == list(BRACKETS)
    narrow = found[1]  # 1.25 on each side: 11.25 and 8.75, reached one after the other
    assert (narrow.pairs, narrow.untold) == (6, 0)
    assert narrow.shortest == Tally(6, 6)
    assert found[3].pairs == 3  # 2.5 on each side fits UP_THEN_DOWN only


@st.composite
def walks(draw: st.DrawFn) -> Bars:
    """Minutes with holes on whole numbers, where prices often meet."""
    at = sorted(draw(st.sets(st.integers(0, 60), min_size=5, max_size=40)))
    rows = []
    for _ in at:
        a, b, up, down = (draw(st.integers(0, 6)) for _ in range(4))
        open_, close = 10 + a, 10 + b
        rows.append((open_, max(open_, close) + up // 3, min(open_, close) - down // 3, close))
    return minutes(rows, at)


@given(walks())
def test_it_agrees_with_walking_every_minute(detail: Bars) -> None:
    found = measured(detail)
    told = right = flat = untold = 0
    stops = dict.fromkeys(BRACKETS, (0, 0, 0))
    groups: dict[int, list[int]] = {}
    for k in range(len(detail)):
        groups.setdefault(int(detail.open_time[k]) // (5 * M), []).append(k)
    ranges = [
        max(detail.high[k] for k in rows) - min(detail.low[k] for k in rows)
        for rows in groups.values()
    ]
    coins = np.random.default_rng(0).random(len(groups)) < 0.5
    for coin, rows in zip(coins, groups.values(), strict=True):
        open_, close = detail.open[rows[0]], detail.close[rows[-1]]
        high, low = max(detail.high[k] for k in rows), min(detail.low[k] for k in rows)
        first_high = next(k for k in rows if detail.high[k] == high)
        first_low = next(k for k in rows if detail.low[k] == low)
        flat += high == low
        untold += high != low and first_high == first_low
        if first_high != first_low and open_ != close:
            told += 1
            right += (close > open_) == (first_low < first_high)
        for stop, target in BRACKETS:
            below, above = (stop, target) if coin else (target, stop)
            lower = open_ - TICK * max(1, round(below * np.median(ranges) / TICK))
            upper = open_ + TICK * max(1, round(above * np.median(ranges) / TICK))
            if not (low - TINY <= lower and upper <= high + TINY):
                continue
            fell = next(k for k in rows if detail.low[k] <= lower + TINY)
            rose = next(k for k in rows if detail.high[k] >= upper - TINY)
            n, lost, blind = stops[stop, target]
            stop_first = fell < rose if coin else rose < fell
            apart = fell != rose
            stops[stop, target] = (n + apart, lost + (apart and stop_first), blind + (not apart))
    assert (found.extremes.flat, found.extremes.untold) == (flat, untold)
    assert found.extremes.shortest == Tally(right, told)
    for pair in found.pairs:
        n, lost, blind = stops[pair.stop, pair.target]
        assert pair.stop_first == Tally(lost, n)
        assert pair.untold == blind


@pytest.mark.parametrize(
    ("right", "told", "low", "high"),
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_those_of_the_book(right: int, told: int, low: float, high: float) -> None:
    assert Tally(right, told).interval == pytest.approx((low, high), abs=5e-5)


def test_forex_minutes_confirm_the_rules() -> None:
    """The shares of another study on other pairs and years: 87 to 89 %, 77 to 81 %."""
    from intrabar.data.checks import check
    from intrabar.data.readers import Reading, read_file

    root = os.environ.get("INTRABAR_TEST_DATA", "")
    file = Path(root) / "forex/lean_eurusd_oanda_1m_quote.csv.gz"
    if not root or not file.exists():
        pytest.skip("INTRABAR_TEST_DATA has no forex minutes")
    detail = check(read_file(file, Reading(calendar="24/5", label="start")), "EURUSD").bars
    truth = path_truth(detail, ["5m", "15m", "30m", "60m"], "24/5")
    for length in truth.lengths:
        x = length.extremes
        assert 0.865 <= x.shortest.share <= 0.895
        assert 0.77 <= x.nearest.share <= 0.815
        assert length.trust.interval[1] < x.shortest.interval[0]
