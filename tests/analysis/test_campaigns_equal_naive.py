"""The kernel against a slow version of the same rules, on random lives and bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.campaigns import campaigns
from tests.analysis.account import Deal, fills_of, market_of
from tests.oracles.naive_campaigns import lives

tenths = st.integers(950, 1050).map(lambda p: p / 10)
# A close, what the high and low add to it, and whether there is a bar at all.
bar = st.tuples(
    tenths, st.integers(0, 30), st.integers(0, 30), st.sampled_from([True] * 4 + [False])
)
deal = st.tuples(st.integers(0, 11), st.integers(-3, 3).filter(bool).map(float), st.integers(0, 10))


@given(st.lists(deal, min_size=1, max_size=14), st.lists(bar, min_size=12, max_size=12))
def test_every_campaign_is_that_of_the_slow_version(
    raw: list[tuple[int, float, int]], bars: list[tuple[float, int, int, bool]]
) -> None:
    close = [b[0] for b in bars]
    high = [c + up / 10 if real else np.nan for c, up, _, real in bars]
    low = [c - down / 10 if real else np.nan for c, _, down, real in bars]
    market = market_of({"A": close}, {"A": high}, {"A": low})
    deals = [(t, q, close[t] + (at - 5) / 10) for t, q, at in sorted(raw, key=lambda d: d[0])]
    got = campaigns(fills_of([Deal(t, q, p) for t, q, p in deals]), market, {"A": 1.0})
    want = lives(deals, high, low, close)
    assert got["start_bar"].to_list() == [w.start for w in want]
    assert got["end_bar"].to_list() == [w.end for w in want]
    for name, expected in (
        ("qty", [w.largest for w in want]),
        ("entry", [w.entry for w in want]),
        ("mae", [w.mae for w in want]),
        ("mfe", [w.mfe for w in want]),
    ):
        assert got[name].to_list() == pytest.approx(expected, abs=1e-9)
