"""One recipe for every way in: what a call says reaches the sweep and the run in chunks as well."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.calls.sweep import planned
from intrabar.app.compose.sources import plain, written
from intrabar.app.config import model
from intrabar.data.source import Source
from intrabar.errors import NotFoundError

COSTS = {"tick_size": 0.01, "slippage_ticks": 0, "commission_per_contract": 0, "calendar": ""}
SPACE = {"parameters": {"seed": [1]}}
SPLIT = {"AAA": [("2020-01-08", 2.0, 0.0)]}


def daily(prices: list[float]) -> pl.DataFrame:
    """Flat bars on days in a row from 2020-01-06."""
    days = (np.datetime64("2020-01-06") + np.arange(len(prices))).astype("datetime64[D]")
    same = dict.fromkeys(("Open", "High", "Low", "Close"), prices)
    return pl.DataFrame({"Date": [str(d) for d in days], **same, "Volume": [1000.0] * len(prices)})


def in_a_file(folder: Path, prices: list[float]) -> dict[str, Any]:
    """A configuration of these bars."""
    daily(prices).write_csv(folder / "AAA.csv")
    source = {"symbol": "AAA", "file": str(folder / "AAA.csv"), "period": "1d"}
    return {"data": [source], "instruments": {"AAA": COSTS}}


def test_a_sweep_of_a_configuration_obeys_what_is_given_around_its_bars(tmp_path: Path) -> None:
    config = in_a_file(tmp_path, [100.0, 100.0, 50.0, 50.0])
    plan = planned("CoinFlip", None, SPACE, {"config": config, "actions": SPLIT})
    market = plan.variants.make({}).setup.market
    assert len(market.actions) == 1
    bare = planned("CoinFlip", None, SPACE, {"config": config})
    assert bare.variants.key({}) != plan.variants.key({})
    with pytest.raises(NotFoundError, match="AAB"):
        planned("CoinFlip", None, SPACE, {"config": config, "actions": {"AAB": SPLIT["AAA"]}})


def test_a_trial_that_begins_earlier_than_the_run_has_the_bars() -> None:
    given: Any = {"symbols": "AAA", "start": "2020-01-08", "instruments": {"AAA": COSTS}}
    space = {"parameters": {"start": ["2020-01-06", "2020-01-08"]}}
    plan = planned(ib.Signals([1]), daily([100.0] * 6), space, given)
    sizes = [
        plan.variants.data({"start": day}).bars
        for day in ("2020-01-06", "2020-01-07", "2020-01-08")
    ]
    assert sizes == [6, 5, 4]


def test_a_split_that_is_told_is_no_jump_in_chunks_either(tmp_path: Path) -> None:
    given: Any = {"symbols": "AAA", "instruments": {"AAA": COSTS}, "actions": SPLIT}
    bars = daily([100.0, 100.0, *[50.0] * 20])
    whole = ib.backtest("CoinFlip", bars, **given)
    parts = ib.backtest("CoinFlip", bars, chunk=8, out=tmp_path / "chunks", **given)
    assert parts.warnings == whole.warnings
    assert not any("is a split" in told for told in parts.warnings)


def test_ticks_of_no_grid_are_told_in_chunks_too(tmp_path: Path) -> None:
    costs = {**COSTS, "tick_size": 0, "slippage_ticks": 2}
    given: Any = {"symbols": "AAA", "instruments": {"AAA": costs}}
    parts = ib.backtest("CoinFlip", daily([100.0] * 20), chunk=8, out=tmp_path / "chunks", **given)
    whole = ib.backtest("CoinFlip", daily([100.0] * 20), **given)
    assert any("slippage_ticks is 2" in told for told in whole.warnings)
    assert parts.warnings == whole.warnings


def test_a_list_of_bars_is_chosen_from_by_symbols() -> None:
    bars = [
        ib.bars_from_frame(daily([price] * 20), symbol=s) for s, price in (("A", 10), ("B", 20))
    ]
    assert ib.backtest("CoinFlip", bars, symbols="B").setup.market.symbols == ("B",)
    with pytest.raises(NotFoundError, match="C"):
        ib.backtest("CoinFlip", bars, symbols="C")


def test_a_source_of_a_configuration_and_one_of_data_are_the_same() -> None:
    assert [field.name for field in fields(Source)] == list(model.Source.model_fields)
    one = model.Source(symbol="A", file="a.csv", only={"x": "y"}, contracts={"B": ""}, roll=3)
    assert written(plain(one)) == one
    assert plain(model.Source(symbol="A")) == Source("A")
