"""Other futures: nothing known changes, everything else may, and bars stay bars."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.engine.outcome.held_arrays import held_arrays
from intrabar.engine.run import Run
from intrabar.research.look_ahead.futures import COLUMNS, KINDS, first_difference, other_future
from intrabar.research.look_ahead.lines import followed
from tests.research.look_ahead import planted_leaks
from tests.strategy.markets import setup_of, walk

ROWS = 60
TABLE = np.arange(float(ROWS))


@settings(max_examples=150)
@given(
    st.integers(0, 99),
    st.integers(1, ROWS - 2),
    st.sampled_from(KINDS),
    st.sampled_from(("all", *COLUMNS)),
    st.booleans(),
)
def test_what_is_known_stays(seed: int, row: int, kind: str, column: str, at_open: bool) -> None:
    market = walk(ROWS, seed, ("A", "B"), missing=0.2)
    at_open &= kind in ("noise", "shuffle")
    other = other_future(market, row, kind, column, at_open=at_open, seed=seed)
    known = row + (0 if at_open else 1)
    for name in ("time", "open_time", "session_end", *COLUMNS):
        assert getattr(other, name)[:known].tobytes() == getattr(market, name)[:known].tobytes()
    assert other.open[row].tobytes() == market.open[row].tobytes()
    if kind == "end":
        assert len(other) == row + 1
        return
    assert len(other) == ROWS
    if column != "all":
        for name in set(COLUMNS) - {column, "high", "low", "close"}:
            assert getattr(other, name).tobytes() == getattr(market, name).tobytes()
    if kind == "blank" and column == "all":
        assert np.isnan(other.open[row + 1 :]).all()
        assert (other.volume[row + 1 :] == 0).all()
        return
    if kind == "blank":
        assert np.isnan(getattr(other, column)[row + 1 :]).all()
        return
    there = ~np.isnan(market.open)
    assert (np.isnan(other.open) == ~there).all()
    assert (other.high[there] >= np.maximum(other.open, other.close)[there]).all()
    assert (other.low[there] <= np.minimum(other.open, other.close)[there]).all()
    for i, j in zip(*np.nonzero(~there), strict=True):
        before = other.close[i - 1, j] if i else np.nan
        assert other.close[i, j] == before or np.isnan(before)


@pytest.mark.parametrize("column", COLUMNS)
def test_noise_changes_the_column_it_is_asked_to_change(column: str) -> None:
    market = walk(ROWS, 3)
    other = other_future(market, 30, "noise", column)
    changed = {
        name
        for name in COLUMNS
        if first_difference(getattr(market, name), getattr(other, name), ROWS) is not None
    }
    assert changed == {column}


def test_the_first_difference_is_found_and_missing_values_are_equal() -> None:
    a = np.array([np.nan, 1.0, 2.0, 3.0])
    b = np.array([np.nan, 1.0, np.nan, 3.0])
    assert first_difference(a, a.copy(), 4) is None
    assert first_difference(a, b, 4) == 2
    assert first_difference(a, b, 2) is None
    assert first_difference(a, b[:3], 4) == 2  # the row that differs, before the one that lacks
    assert first_difference(a[:2], a, 4) == 2


@dataclass
class Holder:
    own: Any
    table: dict[str, Any]

    def rule(self) -> float:
        return float(TABLE[0])


def test_arrays_are_found_wherever_they_are_kept() -> None:
    rows = np.zeros(ROWS)
    series = pl.Series(rows)
    frame = pd.DataFrame({"x": rows})
    inner = Holder(rows.tolist(), {"short": np.zeros(3)})
    strategy = Holder(inner, {"polars": series, "pandas": frame, "grid": np.zeros((ROWS, 2))})
    found = held_arrays(strategy, ROWS)
    assert set(found) == {
        "own.own",
        "table['polars']",
        "table['pandas']",
        "table['grid']",
        "TABLE",
    }
    closure = planted_leaks.in_a_closure(walk(ROWS))
    assert set(held_arrays(closure, ROWS)) == {"tomorrow"}


def test_following_lines_leaves_the_tracer_as_it_was() -> None:
    market = walk(ROWS)
    run = Run(setup_of(market, planted_leaks.close_at_open(market)))

    def mine(*_: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(mine)
    try:
        with followed(run, []):
            assert sys.gettrace() is not mine
        assert sys.gettrace() is mine
    finally:
        sys.settrace(before)
