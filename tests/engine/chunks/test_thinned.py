"""Long curves made short as they come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intrabar.engine.chunks.thinning import ThinnedCurve


@given(
    st.integers(1, 400), st.lists(st.integers(1, 90), min_size=1, max_size=12), st.integers(0, 9)
)
def test_every_extreme_stays(count: int, cuts: list[int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    row, value = np.arange(count), np.round(draw.normal(size=count).cumsum(), 1)
    thinned, whole = ThinnedCurve("value", most=40), ThinnedCurve("value", most=40)
    whole.take({"row": row, "value": value})
    first, k = 0, 0
    while first < count:
        end = first + cuts[k % len(cuts)]
        thinned.take({"row": row[first:end], "value": value[first:end]})
        first, k = end, k + 1
    rows = thinned.columns["row"]
    assert len(rows) <= 40
    assert thinned.total == count
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(thinned.columns["value"], value[rows])
    assert {0, count - 1, int(value.argmin()), int(value.argmax())} <= set(rows.tolist())
    if count <= 40:
        np.testing.assert_array_equal(rows, row)


def test_stretches_grow_with_the_table_and_not_with_its_pieces() -> None:
    thinned, row = ThinnedCurve("value", most=40), np.arange(90)
    for piece in range(100):
        value = np.sin(row + 90.0 * piece)
        thinned.take({"row": row + 90 * piece, "value": value})
        assert 10 <= len(thinned.columns["row"]) <= 40
