"""The course of an equity in pieces, against all spells under water of the whole."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from intrabar.analysis.drawdown import drawdowns
from intrabar.analysis.equity_path import EquityPath
from intrabar.model.bars import DAY_NS


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
    spells = drawdowns(time, equity, 100.0)
    assert course.deepest == max(spells, key=lambda s: s.depth, default=None)
    assert course.longest == max(spells, key=lambda s: s.days, default=None)
    last = np.append(np.flatnonzero(np.diff(day)), n - 1)
    np.testing.assert_array_equal(course.days, day[last])
    np.testing.assert_array_equal(course.daily, equity[last])
    assert (course.bars, course.held) == (n, held.sum())
    assert course.mean == equity.sum() / n
