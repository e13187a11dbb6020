"""`import intrabar` is light, every name resolves, and `backtest` takes what people have."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import intrabar
from tests.app.rules import Remembering
from tests.app.runs_of_it import write_bars


@pytest.mark.parametrize("name", intrabar.__all__)
def test_every_name_resolves(name: str) -> None:
    assert getattr(intrabar, name) is not None


def test_names_are_sorted_and_known() -> None:
    assert intrabar.__all__ == sorted(intrabar.__all__)
    assert {*intrabar._HOME_OF, *intrabar._MODULES} == set(intrabar.__all__)


def test_the_import_is_light() -> None:
    heavy = ["numpy", "numba", "polars", "pandas", "pydantic", "talib"]
    code = f"import sys, intrabar; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_bars(tmp_path_factory.mktemp("bars") / "AAA.csv"))


def test_files_and_frames_give_the_same_run(file: str) -> None:
    bot = intrabar.Bot(intrabar.MovingAverageCrossover(5, 20))
    polars = pl.read_csv(file, try_parse_dates=True)
    pandas = pd.read_csv(file, parse_dates=["Date"]).set_index("Date")
    free = {"calendar": ""}
    results = [
        intrabar.backtest(bot, data, symbols="AAA", instruments={"AAA": free})
        for data in (polars, pandas, {"AAA": polars})
    ]
    assert len({r.digest for r in results}) == 1
    assert results[0].fills.height > 0


def test_a_strategy_by_name_with_its_parameters(file: str) -> None:
    by_name = intrabar.backtest("MovingAverageCrossover", file, params={"fast": 5, "slow": 20})
    made = intrabar.backtest(intrabar.Bot(intrabar.MovingAverageCrossover(5, 20)), file)
    assert by_name.digest == made.digest
    assert by_name.market.symbols == ("ASSET",)


def test_dates_cash_and_policy(file: str) -> None:
    result = intrabar.backtest(
        {"a": "CoinFlip"},
        {"AAA": file},
        start="2020-02-01",
        end="2020-03-10",
        cash=5_000,
        path_policy="best",
    )
    days = result.market.time.astype("datetime64[ns]").astype("datetime64[D]")
    assert days[0] >= np.datetime64("2020-02-01")
    assert len(result.market) == 39
    assert result.setup.account.cash == 5_000
    assert list(result.setup.strategies) == ["a"]


def test_what_is_no_strategy_is_refused(file: str) -> None:
    with pytest.raises(intrabar.ConfigError, match="a Bot, a Strategy, Signals, Weights or a name"):
        intrabar.backtest(42, file)
    with pytest.raises(intrabar.NotFoundError, match="did you mean 'CoinFlip'"):
        intrabar.backtest("CoinFlop", file)


def test_an_argument_that_there_is_not_is_refused(file: str) -> None:
    for call in (intrabar.backtest, intrabar.audit):
        with pytest.raises(intrabar.NotFoundError, match="argument 'simbols': did you mean 'symb"):
            call("CoinFlip", file, simbols="AAA")


def test_plot_and_report(file: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = intrabar.backtest("CoinFlip", file)
    assert intrabar.plot(result)._repr_html_().startswith("<svg")
    page = intrabar.report(result, tmp_path_factory.mktemp("page") / "r.html", name="<b>")
    assert "CoinFlip" in page.read_text(encoding="utf-8")


def test_what_a_strategy_remembers_does_not_reach_the_next_run(file: str) -> None:
    strategy = Remembering()
    first = intrabar.backtest(strategy, {"AAA": file})
    assert first.fills.height == 2
    assert len({run.end_equity for run in first.band}) == 1
    assert intrabar.backtest(strategy, {"AAA": file}).digest == first.digest
