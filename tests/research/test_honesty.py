"""Predictions of a file against the bars that came: each kind of forecast gets its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.analysis.bootstrap import Interval
from intrabar.analysis.figure import Undefined
from intrabar.errors import DataError
from intrabar.indicators import atr, compute
from intrabar.indicators.given import Request
from intrabar.model.bars import Bars
from intrabar.research.honesty import Judgement, judge

HOUR = 3_600_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01 UTC
N, TEST = 6000, 2000


def bars_of(moves: np.ndarray) -> Bars:
    close = 100.0 * np.exp(np.cumsum(moves))
    open_ = np.append(100.0, close[:-1])
    high, low = np.maximum(open_, close) * 1.004, np.minimum(open_, close) * 0.996
    end = START + np.arange(1, len(close) + 1) * HOUR
    days = end // (24 * HOUR)
    return Bars("A", end, open_, high, low, close, np.ones(len(end)), HOUR, end - HOUR, days)


def frame(bars: Bars, said: np.ndarray, horizon: int = 1, first: int = TEST) -> pl.DataFrame:
    """Predictions of the bars from the first of the test on."""
    times = bars.close_time.astype("datetime64[ns]").astype(str)
    rows = slice(first, len(bars) - horizon)
    return pl.DataFrame(
        {
            "Time": [f"{t[:19]}Z" for t in times[rows]],
            "predicted_price": (bars.close * (1.0 + said))[rows],
            "predicted_return": said[rows],
            "horizon": np.full(len(bars) - horizon - first, horizon),
            "trained_until": f"{times[first - 1][:19]}Z",
        }
    )


def judged(path: Path, bars: Bars, made: pl.DataFrame, **how: Any) -> Judgement:
    made.write_parquet(path / "p.parquet")
    setup = ib.backtest(
        ib.Signals(np.zeros(len(bars))), bars, instruments={"A": {"kind": "share"}}
    ).setup
    return judge(Request(str(path / "p.parquet"), **how), setup.market, setup.instruments)


def moves_of(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, n)


def returns_of(bars: Bars, horizon: int = 1) -> np.ndarray:
    """What comes after each bar; 0 at the last ones, which nobody predicts."""
    ahead = bars.close[horizon:] / bars.close[:-horizon] - 1.0
    return np.append(ahead, np.zeros(horizon))


def test_each_kind_gets_its_name(tmp_path: Path) -> None:
    signal = moves_of(1)
    drifting = bars_of(moves_of() + 0.002)
    follows = bars_of(np.append(0.0, 0.15 * signal[:-1]) + 0.99 * moves_of())
    plain = bars_of(moves_of())
    last = np.append(0.0, plain.close[1:] / plain.close[:-1] - 1.0)
    cases = {
        "repeats the last price": (plain, np.zeros(N)),
        "only the drift": (drifting, np.full(N, returns_of(drifting)[:TEST].mean())),
        "better than the last price": (follows, 0.15 * signal),
        "too good": (plain, 0.5 * returns_of(plain) + 0.5 * moves_of(4)),
        "worse than the last price": (plain, moves_of(5)),
        "no better": (plain, 0.02 * moves_of(6)),
    }
    for name, (bars, said) in cases.items():
        found = judged(tmp_path, bars, frame(bars, said))
        assert [str(one.verdict) for one in found.judged] == [name]
        assert found.judged[0].drift_of == "the bars up to trained_until"
    lagging = judged(tmp_path, plain, frame(plain, -last))
    assert str(lagging.judged[0].verdict) == "repeats the last price"


def test_the_figures_are_those_of_a_slow_count(tmp_path: Path) -> None:
    bars, said = bars_of(moves_of(2, 900)), 0.3 * moves_of(3, 900)
    one = judged(tmp_path, bars, frame(bars, said, 3, 300), horizon=3).judged[0]
    assert (one.symbol, one.horizon, one.in_atrs.rows) == ("A", 3, 597)
    rows = range(300, 897)
    close, unit = bars.close, compute(atr(14), bars) / bars.close
    ahead = [close[i + 3] / close[i] - 1.0 for i in rows]
    # A return counts as known where it had ended when the model was trained, at bar 299.
    before = [close[i + 3] / close[i] - 1.0 for i in range(297)]
    drift = sum(before) / len(before)
    own = sum((r - said[i]) ** 2 for i, r in zip(rows, ahead, strict=True))
    assert isinstance(one.raw.skill, Interval)
    assert isinstance(one.raw.against_drift, Interval)
    assert one.raw.skill.value == pytest.approx(1.0 - own / sum(r * r for r in ahead))
    rival = sum((r - drift) ** 2 for r in ahead)
    assert one.raw.against_drift.value == pytest.approx(1.0 - own / rival)
    up = 1.0 if sum(np.sign(r) for r in before) >= 0 else -1.0
    assert one.raw.usual_direction == pytest.approx(np.mean([np.sign(r) == up for r in ahead]))
    scaled = sum(((r - said[i]) / unit[i]) ** 2 for i, r in zip(rows, ahead, strict=True))
    base = sum((r / unit[i]) ** 2 for i, r in zip(rows, ahead, strict=True))
    assert isinstance(one.in_atrs.skill, Interval)
    assert one.in_atrs.skill.value == pytest.approx(1.0 - scaled / base)


def test_all_horizons_are_judged_together(tmp_path: Path) -> None:
    bars, said = bars_of(moves_of()), 0.02 * moves_of(6)
    made = pl.concat([frame(bars, said, horizon) for horizon in (1, 2, 5)])
    found = judged(tmp_path, bars, made)
    assert [one.horizon for one in found.judged] == [1, 2, 5]
    alone = judged(tmp_path, bars, made, horizon=2)
    assert len(alone.judged) == 1
    assert found.judged[1].p >= alone.judged[0].p
    assert found.judged[1].in_atrs == alone.judged[0].in_atrs


def test_quantiles_are_held_against_those_of_the_train(tmp_path: Path) -> None:
    bars = bars_of(moves_of())
    made = frame(bars, np.zeros(N)).with_columns(
        q05=pl.lit(-0.01645), q50=pl.lit(0.0), q95=pl.lit(0.01645)
    )
    found = judged(tmp_path, bars, made).judged[0].raw.quantiles
    assert [q.below for q in found] == pytest.approx([0.05, 0.5, 0.95], abs=0.02)
    for q in found:
        assert q.usual_loss == pytest.approx(q.loss, rel=0.01)


def test_without_bars_before_it_the_past_of_each_row_counts(tmp_path: Path) -> None:
    bars = bars_of(moves_of(n=400))
    made = frame(bars, 0.02 * moves_of(6, 400), first=0).drop("trained_until")
    one = judged(tmp_path, bars, made.with_columns(q50=pl.lit(0.0))).judged[0]
    (middle,) = one.raw.quantiles  # the first rows have no past
    assert middle.usual_loss == pytest.approx(middle.loss, rel=0.05)
    assert one.drift_of == "the bars before each prediction"
    assert not isinstance(one.in_atrs.against_drift, Undefined)


def test_the_drift_is_of_what_was_known_in_the_zone_of_the_file(tmp_path: Path) -> None:
    bars, said = bars_of(moves_of(n=400)), 0.02 * moves_of(6, 400)
    utc = frame(bars, said, first=100)
    tokyo = utc.with_columns(
        pl.col("Time", "trained_until")
        .str.strip_suffix("Z")
        .str.to_datetime()
        .dt.offset_by("9h")
        .dt.to_string("%Y-%m-%dT%H:%M:%S")
    )
    expected = judged(tmp_path, bars, utc).judged
    assert judged(tmp_path, bars, tokyo, zone="Asia/Tokyo").judged == expected


def test_a_symbol_without_rows_on_its_bars_is_told(tmp_path: Path) -> None:
    a = bars_of(moves_of(n=400))
    b = replace(a, symbol="B")
    rows = frame(a, 0.02 * moves_of(6, 400), first=100)
    early = rows.with_columns(
        pl.col("Time").str.replace("2024", "2020"), trained_until=pl.lit("2019-12-31T00:00:00Z")
    )
    made = pl.concat(
        [rows.with_columns(symbol=pl.lit("A")), early.with_columns(symbol=pl.lit("B"))]
    )
    made.write_parquet(tmp_path / "p.parquet")
    share = {"kind": "share"}
    setup = ib.backtest(ib.Signals(0), [a, b], instruments={"A": share, "B": share}).setup
    found = judge(Request(str(tmp_path / "p.parquet")), setup.market, setup.instruments)
    assert [one.symbol for one in found.judged] == ["A"]
    assert any("299 rows of B lie outside of its bars" in r.text for r in found.remarks)


def test_what_was_trained_on_the_bars_is_not_judged(tmp_path: Path) -> None:
    bars = bars_of(moves_of(n=400))
    made = frame(bars, np.zeros(400), first=100)
    with pytest.raises(DataError, match="trained on"):
        judged(tmp_path, bars, made.with_columns(trained_until=pl.lit("2024-01-08")))
