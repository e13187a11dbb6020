from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.data.catalogue import Catalogue
from intrabar.data.detail import detail_in, detail_rows
from intrabar.data.periods import parse_period
from intrabar.data.resample import resample
from intrabar.data.timeline import market_from_bars
from intrabar.model.bars import Bars

M = 60_000_000_000
TICK = 0.01


def minutes(at: list[int], seed: int = 1, symbol: str = "A") -> Bars:
    """Minute bars that open at these minutes and wander."""
    draw = np.random.default_rng(seed)
    close = (100 + np.cumsum(draw.normal(0, 0.1, len(at)))).round(2)
    open_ = np.append(100.0, close[:-1])
    high, low = np.maximum(open_, close) + 0.02, np.minimum(open_, close) - 0.03
    start = M * np.asarray(at, np.int64)
    return Bars(
        symbol,
        start + M,
        open_,
        high.round(2),
        low.round(2),
        close,
        np.ones(len(at)),
        M,
        start,
        start // (1440 * M),
    )


def test_every_bar_finds_its_own() -> None:
    a, b = minutes(list(range(20)), 1, "A"), minutes([*range(3), *range(11, 20)], 2, "B")
    market = market_from_bars([resample(a, 5 * M), resample(b, 5 * M)])
    found, missing = detail_rows(market, [a, b], [TICK, TICK])
    assert found.first[:, 0].tolist() == [0, 5, 10, 15]
    assert found.count[:, 0].tolist() == [5, 5, 5, 5]
    assert found.first[:, 1].tolist() == [20, -1, 23, 27]  # B has no bar from 5 to 10
    assert found.count[:, 1].tolist() == [3, 0, 4, 5]
    assert found.bars[23].tolist() == [b.open[3], b.high[3], b.low[3], b.close[3]]
    assert missing.tolist() == [0, 0]


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_bar_that_the_detail_does_not_make_has_none(field: str) -> None:
    detail = minutes(list(range(20)))
    bars = resample(detail, 5 * M)
    values = getattr(bars, field).copy()
    values[1] += TICK if field in ("open", "high") else -TICK
    values[2] += 1e-12  # nothing
    market = market_from_bars([replace(bars, **{field: values})])
    found, missing = detail_rows(market, [detail], [TICK])
    assert found.first[:, 0].tolist() == [0, -1, 10, 15]
    assert missing.tolist() == [1]


def test_a_part_that_is_not_there_is_noticed() -> None:
    detail = minutes(list(range(20)))
    bars = resample(detail, 5 * M)
    some = np.array([k for k in range(20) if k not in (9, 10, 11, 12, 13, 14)])
    names = ("close_time", "open", "high", "low", "close", "volume", "open_time", "session")
    kept = replace(detail, **{name: getattr(detail, name)[some] for name in names})
    found, missing = detail_rows(market_from_bars([bars]), [kept], [TICK])
    assert found.count[:, 0].tolist() == [5, 0, 0, 5]
    assert missing.tolist() == [2]
    none, lost = detail_rows(market_from_bars([bars]), [None], [TICK])
    assert (lost.tolist(), none.bars.shape) == ([4], (0, 4))
    assert none.count.sum() == 0


@given(st.sets(st.integers(0, 100), min_size=2), st.integers(0, 9))
def test_it_agrees_with_walking_every_bar(slots: set[int], spoilt: int) -> None:
    detail = minutes(sorted(slots))
    bars = resample(detail, 5 * M)
    high = bars.high.copy()
    high[spoilt % len(high)] += 1.0
    market = market_from_bars([replace(bars, high=high)])
    found, missing = detail_rows(market, [detail], [TICK])
    for row in range(len(market)):
        inside = [
            k
            for k in range(len(detail))
            if market.open_time[row, 0] <= detail.open_time[k]
            and detail.close_time[k] <= market.time[row]
        ]
        if row == spoilt % len(high):
            inside = []
        assert found.count[row, 0] == len(inside)
        assert found.first[row, 0] == (inside[0] if inside else -1)
    assert missing.tolist() == [1]


def test_the_catalogue_gives_the_shortest_there_is(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    detail = minutes(list(range(60)))
    record = {"source": "x", "source_sha256": "", "format": "", "zone": "UTC", "label": "end"}
    record |= {"adjustment": "raw", "calendar": ""}
    for bars in (detail, resample(detail, 5 * M), resample(detail, 30 * M)):
        catalogue.write(bars, record)
    found = detail_in(catalogue, "A", parse_period("30m"))
    assert found is not None
    assert found.period == M
    assert detail_in(catalogue, "A", parse_period("1m")) is None
    assert detail_in(catalogue, "B", parse_period("30m")) is None
