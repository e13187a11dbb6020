"""What the predictions of a run were worth, as its report shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.pages import forecasts
from intrabar.app.pages.forecasts import forecasts_of
from intrabar.engine.outcome.result import Result
from intrabar.indicators.given import Request
from intrabar.model.bars import Bars
from intrabar.research.honesty import judge
from tests.research.test_honesty import bars_of, frame, moves_of

N, TEST, SECOND = 900, 300, 600


def made(bars: Bars, said: np.ndarray) -> pl.DataFrame:
    """Predictions of two models, with two quantiles."""
    table = frame(bars, said, first=TEST)
    until = str(bars.close_time[SECOND - 1].astype("datetime64[ns]"))[:19] + "Z"
    late = pl.int_range(pl.len()) >= SECOND - TEST
    return table.with_columns(
        trained_until=pl.when(late).then(pl.lit(until)).otherwise("trained_until"),
        q05=pl.col("predicted_return") - 0.016,
        q95=pl.col("predicted_return") + 0.016,
    )


def ran(file: Path, bars: Bars, table: pl.DataFrame) -> Result:
    table.write_parquet(file)
    bot = ib.Bot(ib.PredictionThreshold(str(file)), equity_fraction=0.5)
    return ib.backtest(bot, bars, instruments={"A": {"kind": "share"}})


def told(page: Path) -> Any:
    text = page.read_text(encoding="utf-8").partition('"forecasts":')[2]
    return json.JSONDecoder().raw_decode(text)[0]


def test_the_report_has_skill_by_refit_and_coverage_as_they_are_judged(tmp_path: Path) -> None:
    bars, said = bars_of(moves_of(2, N)), 0.3 * moves_of(3, N)
    file = tmp_path / "p.parquet"
    result = ran(file, bars, made(bars, said))
    (shown,) = told(ib.report(result, tmp_path / "r.html"))
    one = judge(Request(str(file)), result.market, result.setup.instruments).judged[0]
    assert (shown["symbol"], shown["horizon"]) == ("A", 1)
    assert shown["verdict"] == str(one.verdict)
    assert [x["rows"] for x in shown["refits"]] == [SECOND - TEST, N - 1 - SECOND]
    assert sum(x["rows"] for x in shown["refits"]) == shown["rows"]
    for row in shown["refits"]:
        assert row["low"] < row["skill"] < row["high"]
    returns = bars.close[1:] / bars.close[:-1] - 1.0
    rows = slice(TEST, N - 1)
    below = float(np.mean(returns[rows] < (said - 0.016)[rows]))
    assert shown["quantiles"][0] == {"probability": 0.05, "below": pytest.approx(below)}
    assert shown["left_out"] == []


def test_what_cannot_be_judged_is_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = bars_of(moves_of(2, N))
    whole, file = made(bars, 0.3 * moves_of(3, N)), tmp_path / "p.parquet"
    plain = ran(file, bars, whole.drop("q05", "q95"))
    assert forecasts_of(plain)[0][0]["left_out"] == [
        "p.parquet has no quantiles, so that there is no coverage."
    ]
    unknown = ran(file, bars, whole.drop("trained_until"))
    page = ib.report(unknown, tmp_path / "r.html")
    assert told(page) == []
    assert "neither skill by refit nor coverage of p.parquet" in page.read_text(encoding="utf-8")
    monkeypatch.setattr(forecasts, "MOST", 100)
    found, missing = forecasts_of(plain)
    assert not found
    assert "does not judge the 599 predictions of p.parquet" in missing[0]


def test_a_model_of_few_rows_has_no_interval_and_a_model_of_none_is_told(tmp_path: Path) -> None:
    bars = bars_of(moves_of(2, N))
    whole = made(bars, 0.3 * moves_of(3, N))
    few = ran(tmp_path / "p.parquet", bars, whole.head(SECOND - TEST + 5))
    first, second = forecasts_of(few)[0][0]["refits"]
    assert first["low"] is not None
    assert (second["rows"], second["low"], second["high"]) == (5, None, None)
    assert second["skill"] is not None
    blank = whole.with_columns(
        trained_until=pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("trained_until")
    )
    found, missing = forecasts_of(ran(tmp_path / "b.parquet", bars, blank))
    assert not found
    assert "trained_until is empty in 7 of its rows" in missing[0]


def test_no_predictions_are_no_part_of_the_page(tmp_path: Path) -> None:
    bars = bars_of(moves_of(2, N))
    result = ib.backtest(ib.Signals(np.zeros(N)), bars, instruments={"A": {"kind": "share"}})
    assert forecasts_of(result) == ([], [])
