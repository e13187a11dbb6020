"""The kernel against a slow version of the same rules, on random lives and bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.campaigns import campaigns
from tests.analysis.account import Deal, fills_of, market_of
from tests.oracles.naive_campaigns import Prices, Step, lives

tenths = st.integers(950, 1050).map(lambda p: p / 10)
PHASES = ("open", "intrabar", "close")
# A close, what the high and low add to it, where the open is between them, and whether there is a
# bar at all.
bar = st.tuples(
    tenths,
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 10),
    st.sampled_from([True] * 4 + [False]),
)
# Bar, phase, quantity, price; no quantity: a split at the open.
deal = st.tuples(
    st.integers(0, 11),
    st.sampled_from(PHASES),
    st.sampled_from((-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 0.0)),
    st.integers(0, 10),
)


def in_order(raw: list[tuple[int, str, float, int]], close: list[float]) -> list[Step]:
    """The deals by bar and phase, splits first on their bar, and only while in a position."""
    steps = [
        Step(b, "open", 0.0, (0.5, 2.0)[at % 2])
        if qty == 0
        else Step(b, phase, qty, close[b] + (at - 5) / 10)
        for b, phase, qty, at in raw
    ]
    steps.sort(key=lambda s: (s.bar, s.qty != 0, PHASES.index(s.phase)))
    kept, held = [], 0.0
    for step in steps:
        if step.qty == 0 and held == 0:
            continue
        held = held * step.price if step.qty == 0 else held + step.qty
        kept.append(step)
    return kept


@given(st.lists(deal, min_size=1, max_size=14), st.lists(bar, min_size=12, max_size=12))
def test_every_campaign_is_that_of_the_slow_version(
    raw: list[tuple[int, str, float, int]], bars: list[tuple[float, int, int, int, bool]]
) -> None:
    close = [b[0] for b in bars]
    high = [c + up / 10 if real else np.nan for c, up, _, _, real in bars]
    low = [c - down / 10 if real else np.nan for c, _, down, _, real in bars]
    opened = [lo + (hi - lo) * at / 10 for lo, hi, (*_, at, _) in zip(low, high, bars, strict=True)]
    market = market_of({"A": close}, {"A": high}, {"A": low}, {"A": opened})
    steps = in_order(raw, close)
    if not steps:
        return
    deals = [Deal(s.bar, s.qty, s.price, phase=s.phase) for s in steps]
    got = campaigns(fills_of(deals), market, {"A": 1.0})
    want = lives(steps, Prices(opened, high, low, close))
    assert got["start_bar"].to_list() == [w.start for w in want]
    assert got["end_bar"].to_list() == [w.end for w in want]
    for name, expected in (
        ("qty", [w.largest for w in want]),
        ("entry", [w.entry for w in want]),
        ("mae", [w.mae for w in want]),
        ("mfe", [w.mfe for w in want]),
    ):
        assert got[name].to_list() == pytest.approx(expected, abs=1e-9)
