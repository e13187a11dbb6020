"""Labels and purging: no row of a train is judged by a bar of the test."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.splits.labels import label_ends, purge, rows_at, stretches


def test_ends_lie_a_horizon_ahead_and_not_beyond_the_data() -> None:
    assert label_ends(5, 2).tolist() == [2, 3, 4, 4, 4]
    assert label_ends(3).tolist() == [0, 1, 2]


def test_an_end_in_time_is_the_bar_that_holds_it() -> None:
    time = np.array([10, 20, 30, 40])
    assert rows_at(time, np.array([10, 21, 40, 99])).tolist() == [0, 2, 3, 3]


def test_stretches() -> None:
    assert [s.tolist() for s in stretches(np.array([1, 2, 5, 7, 8]))] == [[1, 2], [5], [7, 8]]
    assert stretches(np.array([], dtype=np.int64)) == []


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    n = draw(st.integers(4, 40))
    tested = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    lengths = draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))
    ends = np.minimum(np.arange(n) + lengths, n - 1)
    rows = np.arange(n)
    return rows[~tested], rows[tested], ends, draw(st.integers(0, 5))


@given(cases())
def test_no_label_of_the_train_meets_one_of_the_test(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, int],
) -> None:
    train, test, ends, embargo = case
    left = purge(train, test, ends, embargo)
    kept = set(left.tolist())
    assert kept <= set(train.tolist())
    for row in train.tolist():
        meets = any(row <= ends[b] and ends[row] >= b for b in test.tolist())
        if row in kept:
            assert not meets
        # A row that was dropped met a label, or lay within the embargo of a stretch.
        near = any(
            (row > s[0] and row <= max(ends[s]) + embargo) or row <= s[0] <= ends[row]
            for s in stretches(test)
        )
        assert (row in kept) != near
