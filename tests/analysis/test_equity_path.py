"""The course of an equity in pieces, against all spells under water of the whole."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from intrabar.analysis.drawdown import figures_of_spells
from intrabar.analysis.equity_path import EquityPath
from intrabar.analysis.figures import blank
from intrabar.model.bars import DAY_NS
from tests.analysis import naive_figures


@given(
    st.lists(st.integers(60, 140), min_size=1, max_size=60),
    st.lists(st.integers(1, 9), min_size=1, max_size=9),
)
@example([90] * 3 + [110] + [105] * 5, [2])
def test_a_course_in_pieces_is_that_of_the_whole(values: list[int], cuts: list[int]) -> None:
    equity = np.array(values, float)
    n = len(equity)
    time = DAY_NS // 3 * np.arange(1, n + 1, dtype=np.int64) + np.arange(n) ** 2
    day = np.arange(n) // 3
    held = equity % 2 == 0
    course = EquityPath(100.0)
    first = k = 0
    while first < n:
        part = slice(first, first + cuts[k % len(cuts)])
        course.take(time[part], day[part], equity[part], held[part])
        first, k = part.stop, k + 1
    out = blank()
    figures_of_spells(course.spells, out[0])
    spells = naive_figures.spells(time, equity, 100.0)
    if spells:
        deep, long = max(spells, key=lambda s: s.depth), max(spells, key=lambda s: s.days)
        assert out["max_drawdown"] == deep.depth
        assert (out["max_drawdown_bars"], out["max_drawdown_days"]) == (deep.bars, deep.days)
        np.testing.assert_array_equal(
            out["max_drawdown_recovery_days"],
            np.nan if deep.recovery_days is None else deep.recovery_days,
        )
        assert (out["longest_drawdown_bars"], out["longest_drawdown_days"]) == (
            long.bars,
            long.days,
        )
    else:
        assert (out["max_drawdown"], out["longest_drawdown_days"]) == (0.0, 0.0)
    last = np.append(np.flatnonzero(np.diff(day)), n - 1)
    np.testing.assert_array_equal(course.days, day[last])
    np.testing.assert_array_equal(course.daily, equity[last])
    assert (course.bars, course.held) == (n, held.sum())
    assert course.mean == equity.sum() / n
