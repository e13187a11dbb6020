"""What happens around the bars, switched on from a configuration: each by what it does to money."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from tests.app.runs_of_it import config_in, said, write_bars


def daily(prices: list[float], first: str = "2020-01-06") -> pl.DataFrame:
    """Flat bars on days in a row: open, high, low and close are one price."""
    days = (np.datetime64(first) + np.arange(len(prices))).astype("datetime64[D]")
    same = dict.fromkeys(("Open", "High", "Low", "Close"), prices)
    return pl.DataFrame({"Date": [str(d) for d in days], **same, "Volume": [1000.0] * len(prices)})


def held(prices: list[float], symbol: str = "AAA", qty: float = 10, **given: Any) -> ib.Result:
    """Bought at the open of the second bar and held."""
    signals = ib.Signals([1] * len(prices), qty=qty)
    instruments = {
        symbol: {
            "tick_size": 0.01,
            "slippage_ticks": 0,
            "commission_per_contract": 0,
            "calendar": "",
            **given.pop("instrument", {}),
        }
    }
    return ib.backtest(signals, daily(prices), symbols=symbol, instruments=instruments, **given)


def end_of(result: ib.Result) -> float:
    return float(result.equity["equity"][-1])


def test_a_split_and_a_dividend_reach_the_account() -> None:
    rows = [("2020-01-08", 2.0, 0.5), ("2019-01-01", 3.0, 0.0), ("2030-01-01", 3.0, 0.0)]
    found = held([100, 100, 50, 50], actions={"AAA": rows})
    assert found.fills["qty"].sum() >= 10
    assert end_of(found) == 100_000 + 20 * 0.5
    assert end_of(held([100, 100, 50, 50])) == 100_000 - 500


def test_margins_change_on_their_day(tmp_path: Path) -> None:
    table = tmp_path / "margins.csv"
    table.write_text("date,initial,maintenance\n2020-01-01,100,90\n20200109,100,99999\n")
    found = held([100] * 5, margins={"AAA": table})
    assert found.fills["reason"].to_list()[:2] == ["entry", "liquidation"]
    assert found.fills["bar"][1] == 3  # the bar of the ninth


def test_profits_are_exchanged_at_the_rate_of_their_close() -> None:
    euros = {"instrument": {"currency": "EUR"}}
    rates = {"EURUSD": daily([1.0, 1.1, 1.2, 1.25])}
    assert end_of(held([100, 100, 110, 120], rates=rates, **euros)) == pytest.approx(100_250)
    inverse = {"USDEUR": daily([1.0, 1.0, 1.0, 0.8])}
    assert end_of(held([100, 100, 110, 120], rates=inverse, **euros)) == pytest.approx(100_250)
    crossed = {"EURJPY": daily([100.0] * 4), "USDJPY": daily([100.0, 100, 100, 80])}
    assert end_of(held([100, 100, 110, 120], rates=crossed, **euros)) == pytest.approx(100_250)
    with pytest.raises(ib.ConfigError, match="no rate of exchange from EUR to USD"):
        held([100, 100], account={"currency": "USD"}, **euros)
    own = held([100, 100], **euros)  # nobody says which: it is that of all that is traded
    assert own.setup.account.currency == "EUR"
    assert any("the account is in EUR" in text for text in own.warnings)
    with pytest.raises(ib.DataError, match="no rate of exchange for 2020-01-1"):
        held([100] * 20, rates={"EURUSD": daily([1.0, 1.1])}, **euros)


def test_a_traded_pair_is_its_own_rate() -> None:
    found = held([100.0, 100, 125], symbol="USDJPY", qty=1000, instrument={"contract_size": 1})
    assert end_of(found) == pytest.approx(100_000 + 1000 * 25 / 125)


def test_the_account_in_a_configuration_earns_interest(tmp_path: Path) -> None:
    write_bars(tmp_path / "AAA.csv", days=3)
    made = {
        "data": [{"symbol": "AAA", "file": str(tmp_path / "AAA.csv"), "calendar": ""}],
        "strategies": [{"name": "CoinFlip"}],
        "account": {"cash": 36500, "interest_rate": 0.1, "currency": "USD", "settlement": "daily"},
    }
    signals = ib.Signals([0, 0, 0])
    assert end_of(ib.backtest(signals, config=made)) == pytest.approx(36520, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"account": {"currency": "usd"}}, "account.currency: is 'usd', must be a currency in"),
        ({"account": {"interest_rate": -1}}, "account.interest_rate: is -1, must be from 0 to 10"),
        ({"account": {"path_trust": 2}}, "account.path_trust: is 2, must be from 0 to 1"),
        ({"account": {"path_policy": "calibrated"}}, "account.path_trust: is missing"),
        ({"account": {"settlement": "weekly"}}, "account.settlement: is 'weekly', must be one of"),
        ({"account": {"path_policy": "detail"}}, "there are no lower bars of AAA"),
        ({"account": {"currency": "EUR"}}, "no rate of exchange from USD to EUR"),
        ({"instruments": {"AAA": {"max_volume_share": -1}}}, "max_volume_share is -1"),
        ({"instruments": {"AAA": {"tiers": [[1, 2]]}}}, "tiers is [[1, 2]], must be rows of three"),
        (
            {"instruments": {"AAA": {"tiers": [[9, 0, 0.01], [5, 0, 0.01]]}}},
            "tiers must have rising quantities",
        ),
        (
            {"instruments": {"AAA": {"tick_size": 0, "tick_value": 5}}},
            "tick_value is 5 without a tick",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, capsys: Any, monkeypatch: Any, changes: dict[str, Any], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = said(capsys, "backtest", config_in(tmp_path, **changes))
    assert code == 2
    assert told in err


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        (
            "actions",
            "date,split\n2020-01-08,two\n",
            "around.csv:2: split is 'two', must be a number",
        ),
        ("actions", "date,dividend\n2020-13-08,1\n", "around.csv:2: date is '2020-13-08'"),
        ("actions", "date,dividend\n2020-01-08,1e9\n", "the dividend of 2020-01-08 is 1e+09"),
        ("actions", "a,b\n1,2\n", "no splits or dividends; the columns are a, b"),
        ("margins", "date,initial\n2020-01-08,-5\n", "around.csv:2: initial is '-5'"),
        ("margins", "date,start\n2020-01-08,5\n", "needed are date, and initial"),
    ],
)
def test_a_bad_table_is_named_with_its_line(
    tmp_path: Path, capsys: Any, key: str, text: str, told: str
) -> None:
    (tmp_path / "around.csv").write_text(text)
    data = [{"symbol": "AAA", "file": "AAA.csv", "calendar": "", key: "around.csv"}]
    code, _, err = said(capsys, "backtest", config_in(tmp_path, data=data))
    assert code == (1 if "dividend of" in told else 2)  # that one hangs on the prices
    assert told in err


def test_a_run_with_everything_repeats_and_tells_what_changed(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "actions.csv").write_text("date,split,dividend\n2020-03-01,2,\n2020-04-01,,0.5\n")
    (tmp_path / "margins.csv").write_text(
        "date,initial_rate,maintenance_rate\n2020-02-01,0.5,0.25\n"
    )
    write_bars(tmp_path / "USDEUR.csv")
    file = config_in(
        tmp_path,
        data=[
            {
                "symbol": "AAA",
                "file": "AAA.csv",
                "calendar": "",
                "actions": "actions.csv",
                "margins": "margins.csv",
            }
        ],
        rates=[{"symbol": "USDEUR", "file": "USDEUR.csv", "calendar": ""}],
        account={
            "currency": "EUR",
            "interest_rate": 0.02,
            "path_policy": "calibrated",
            "path_trust": 0.7,
        },
        instruments={
            "AAA": {
                "max_volume_share": 0.1,
                "slippage_volatility": 0.05,
                "slippage_impact": 0.1,
                "maker_rate": -0.0001,
                "tiers": [[0, 0.01, 0.0], [1000, 0.005, 0.0]],
                "borrow_rate": 0.03,
                "swap_long": -0.01,
                "swap_short": -0.02,
            }
        },
    )
    code, out, err = said(capsys, "backtest", file, "--json")
    assert (code, err[:6]) == (0, ""), err
    name = json.loads(out)["id"]
    code, out, _ = said(capsys, "runs", "rerun", name, "--out", tmp_path / "runs")
    assert (code, "identical" in out) == (0, True)
    (tmp_path / "actions.csv").write_text("date,split,dividend\n2020-03-01,2,\n2020-04-01,,0.6\n")
    code, out, err = said(capsys, "runs", "rerun", name, "--out", tmp_path / "runs")
    assert code == 1
    assert "splits, dividends, margins, rolls or lower bars of AAA changed" in out + err


def hours(path: Path, days: int = 30) -> None:
    """Four bars of six hours a day."""
    rng = np.random.default_rng(3)
    stamps = np.datetime64("2020-01-06T00:00") + np.arange(days * 4) * np.timedelta64(360, "m")
    price = (100 + np.cumsum(rng.normal(0, 1, days * 4))).round(2)
    o, c = price, np.append(price[1:], price[-1])
    high, low = np.maximum(o, c) + 0.5, np.minimum(o, c) - 0.5
    lines = [
        f"{s}:00Z,{a:.2f},{h:.2f},{b:.2f},{e:.2f},10"
        for s, a, h, b, e in zip(stamps, o, high, low, c, strict=True)
    ]
    path.write_text("TimeStamp,Open,High,Low,Close,Volume\n" + "\n".join(lines) + "\n")


def test_lower_bars_of_the_catalogue_are_used_by_detail_alone(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    hours(tmp_path / "BBB.csv")
    reading = ("--period", "6h", "--calendar", "24/7")
    assert said(capsys, "data", "import", "BBB.csv", *reading)[0] == 0
    assert said(capsys, "data", "resample", "BBB", "1d")[0] == 0
    bot = ["--strategy", "CoinFlip", "--no-report", "--period", "1d", "--symbol", "BBB"]
    code, out, err = said(capsys, "backtest", *bot, "--path-policy", "detail")
    assert code == 0, err
    assert "0 of 30 bars had none" in out
    assert "bars had none" not in said(capsys, "backtest", *bot)[1]
