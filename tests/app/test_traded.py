"""What is said of an instrument, what its name says, what its bars tell and contradict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import intrabar as ib
from intrabar.errors import ConfigError, DataError, IntrabarError, UsageError
from tests.app.runs_of_it import write_bars


def frame(close: Any, freq: str = "D", first: str = "2024-01-01", tz: Any = None) -> pd.DataFrame:
    close = np.asarray(close, float)
    index = pd.date_range(first, periods=len(close), freq=freq, tz=tz)
    columns = dict.fromkeys(("Open", "High", "Low", "Close"), close)
    return pd.DataFrame({**columns, "Volume": 1000.0}, index=index)


def traded(close: Any, symbol: str | None = None, **how: Any) -> ib.Result:
    asked = {name: how.pop(name) for name in ("freq", "first", "tz") if name in how}
    if symbol is not None:
        how["symbols"] = symbol
    return ib.backtest(ib.Signals([1.0] * len(close)), frame(close, **asked), **how)


def told(result: ib.Result, text: str) -> bool:
    return any(text in sentence for sentence in result.warnings)


def is_severe(result: ib.Result, text: str) -> bool:
    return any(remark.severe and text in remark.text for remark in result.setup.remarks)


CENTS = [100.01, 100.5, 99.99, 101.23] * 5


def test_bars_without_a_name_run_and_it_is_told() -> None:
    result = traded(CENTS)
    (one,) = result.setup.instruments
    assert (one.tick_size, one.point_value, one.calendar) == (0.01, 1.0, "")
    assert told(result, "ASSET has no name")
    assert not is_severe(result, "ASSET has no name")


@pytest.mark.parametrize("how", [{}, {"instruments": {"MYFUT": {"calendar": "none"}}}])
def test_a_name_that_says_nothing_is_told_above_the_figures(how: dict[str, Any]) -> None:
    assert is_severe(traded(CENTS, "MYFUT", **how), "MYFUT is not in the table")


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "share", "calendar": "none"},
        {"point_value": 50},
        {"tick_size": 0.01, "tick_value": 5},
    ],
)
def test_what_is_said_is_no_guess(said: dict[str, Any]) -> None:
    assert not is_severe(traded(CENTS, "MYFUT", instruments={"MYFUT": said}), "MYFUT")


@pytest.mark.parametrize("symbol", ["SHIBUSD", "SHIBUSDT", "COINX"])
def test_a_coin_of_a_hundredth_of_a_cent_is_bought_at_its_price(symbol: str) -> None:
    result = traded([1.234e-5, 1.25e-5, 1.2e-5, 1.24e-5] * 5, symbol)
    assert result.setup.instruments[0].tick_size == pytest.approx(1e-8)
    assert 1.2e-5 < result.fills["price"][0] < 1.3e-5
    assert told(result, "1e-08")


def test_a_tick_above_the_prices_is_refused() -> None:
    for said in ({"tick_size": 0.01}, ib.Instrument("COINX", tick_size=0.01)):
        with pytest.raises(ConfigError, match="more than its prices"):
            traded([1.2e-5] * 5, "COINX", instruments={"COINX": said})


def test_forex_without_a_name_is_traded_in_its_own_ticks() -> None:
    assert traded([1.08342, 1.08351, 1.0829] * 5).setup.instruments[0].tick_size == 1e-5


def test_prices_between_the_ticks_of_a_future_contradict_its_name() -> None:
    result = traded([5000.1, 5000.37, 5000.6] * 7, "NQ1!")
    assert result.point_values == {"NQ1!": 20.0}
    assert is_severe(result, "lie between ticks of 0.25")
    assert not told(traded([5000.25, 5001.5, 5000.0] * 7, "ES1!"), "between ticks")


def test_a_future_whose_name_is_a_share_s_too_is_told() -> None:
    closes = [74.11, 74.35, 75.02, 74.98] * 5  # CL: crude oil, and Colgate-Palmolive at NYSE
    days = {"freq": "B", "first": "2024-03-04"}
    assert told(traded(closes, "CL", **days), "the share of that name is NYSE:CL")
    said = {"instruments": {"CL": {"kind": "future"}}}
    assert not told(traded(closes, "CL", **days, **said), "the share of that name")


def test_bars_on_days_without_a_session_contradict_the_calendar() -> None:
    assert is_severe(traded(CENTS, "IBM"), "lie on dates without a session of NYSE")
    assert not told(traded(CENTS, "IBM", freq="B", first="2024-02-20"), "without a session")


def test_hours_without_a_session_are_told() -> None:
    assert told(traded(CENTS, "IBM", freq="h", tz="UTC"), "hours without a session of NYSE")


def test_a_coin_without_weekends_is_told() -> None:
    assert is_severe(traded(CENTS, "BTCUSD", freq="B"), "no bar lies on a weekend")
    assert not told(traded(CENTS, "BTCUSD"), "weekend")


def test_a_move_as_of_a_split_is_told_through_every_door() -> None:
    assert is_severe(traded([100.0] * 10 + [25.0] * 10), "-75%")


def test_the_account_is_in_the_one_currency_of_all() -> None:
    result = traded(CENTS, "BTCUSDT")
    assert result.setup.account.currency == "USDT"
    assert told(result, "the account is in USDT")
    two = {"BTCUSDT": frame(CENTS), "ETHUSDT": frame(CENTS)}
    assert (
        ib.backtest(ib.Signals(dict.fromkeys(two, [1.0] * 20)), two).setup.account.currency
        == "USDT"
    )
    for account in ({"currency": "USD"}, ib.Account()):
        with pytest.raises(ConfigError, match="--currency USDT"):
            traded(CENTS, "BTCUSDT", account=account)
    mixed = {"BTCUSDT": frame(CENTS), "SAP.DE": frame(CENTS)}
    with pytest.raises(ConfigError, match="no rate of exchange"):
        ib.backtest(ib.Signals(dict.fromkeys(mixed, [1.0] * 20)), mixed)


@pytest.mark.parametrize("symbol", ["BTC", "KC=F"])
def test_what_bars_cannot_tell_is_asked(symbol: str) -> None:
    with pytest.raises(ConfigError, match="say"):
        traded(CENTS, symbol)


WRONG_ACCOUNTS = [
    {"cash": float("nan")},
    {"cash": float("inf")},
    {"cash": 0},
    {"cash": "much"},
    {"interest_rate": float("nan")},
    {"interest_rate": -1},
    {"debit_rate": float("inf")},
    {"path_trust": 5},
    {"margin_call": 7},
    {"margin_check": "x"},
    {"path_policy": "bset"},
    {"settlement": None},
    {"seed": 1.5},
    {"currency": "dollars"},
    {"close_at_end": "no way"},
]
WRONG_INSTRUMENTS = [
    {"tick_size": float("nan")},
    {"tick_size": "x"},
    {"point_value": None},
    {"point_value": float("inf")},
    {"lot": -1},
    {"commission_rate": 5},
    {"maker_rate": -5},
    {"commission_min": 10, "commission_max": 1},
    {"tiers": None},
    {"tiers": [[0, 1]]},
    {"swap_long": float("nan")},
    {"slippage_pct": 1},
    {"calendar": 5},
    {"borrow_rate": -0.1},
]


@pytest.mark.parametrize("values", WRONG_ACCOUNTS)
def test_both_doors_of_an_account_refuse_the_same(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ib.Account(**values)
    with pytest.raises(UsageError):
        traded(CENTS, account=values)


@pytest.mark.parametrize("values", WRONG_INSTRUMENTS)
def test_both_doors_of_an_instrument_refuse_the_same(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ib.Instrument("A", **values)
    with pytest.raises(UsageError):
        traded(CENTS, "A", instruments={"A": values})


def test_numbers_and_words_of_other_types_are_taken() -> None:
    one = ib.Instrument("A", tick_size=np.float32(0.25), lot=np.int64(2), tiers=[[0, 1, 0]])
    assert (one.tick_size, one.lot, one.tiers) == (0.25, 2.0, ((0.0, 1.0, 0.0),))
    money = ib.Account(cash=np.int64(5000), path_policy="best", seed=np.int64(3))
    assert (money.cash, money.path_policy.word, money.seed) == (5000.0, "best", 3)


def columns() -> dict[str, Any]:
    day = 86_400_000_000_000
    close = 19_800 * day + day * np.arange(1, 5)
    same = dict.fromkeys(("open", "high", "low", "close"), np.full(4, 100.0))
    rest = {"volume": np.ones(4), "period": day, "open_time": close - day}
    return {"close_time": close, **same, **rest, "session": close // day - 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": 0},
        {"high": np.full(4, 99.0)},
        {"low": np.full(4, 101.0)},
        {"volume": np.array([1.0, np.nan, 1.0, 1.0])},
        {"volume": np.full(4, -1.0)},
        {"close_time": 1_700_000_000 + 86_400 * np.arange(4)},
        {"close": np.array(["a"] * 4, object)},
        {"session": np.full(4, 0.5)},
        {"close_time": None},
        {"open": np.ones((4, 2))},
    ],
)
def test_bars_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    ib.Bars("A", **columns())
    with pytest.raises(DataError):
        ib.Bars("A", **{**columns(), **wrong})


def test_bars_of_lists_are_taken() -> None:
    lists = {k: v if k == "period" else v.tolist() for k, v in columns().items()}
    assert ib.Bars("A", **lists).close.dtype == np.float64


def test_instruments_in_another_shape() -> None:
    for given in ([ib.Instrument("A")], ib.Instrument("A")):
        assert traded(CENTS, "A", instruments=given).setup.instruments[0].symbol == "A"
    for wrong in ("A", {"A": 5}, [5]):
        with pytest.raises(IntrabarError, match="instruments"):
            traded(CENTS, "A", instruments=wrong)


def test_a_jump_of_bars_that_are_adjusted_is_no_split(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "AAA.csv")
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    halved = [
        ",".join([day, *(f"{float(x) / 2:.2f}" for x in prices[:4]), prices[4]])
        for day, *prices in (row.split(",") for row in rows[200:])
    ]
    path.write_text("\n".join([header, *rows[:200], *halved]) + "\n", encoding="utf-8")
    told = {}
    for adjustment in ("raw", "split"):
        source = {"symbol": "AAA", "file": str(path), "adjustment": adjustment, "calendar": "none"}
        config = {"data": [source], "instruments": {"AAA": {"kind": "share"}}}
        result = ib.backtest("CoinFlip", config=config)
        told[adjustment] = next(x for x in result.remarks if "from the one before" in x.text)
    assert told["raw"].severe
    assert "the result means nothing" in told["raw"].text
    assert not told["split"].severe
    assert "no split, as the bars are adjusted" in told["split"].text


@pytest.mark.parametrize(
    ("symbol", "unit"), [("VOD.L", "pence"), ("LSE:VOD", "pence"), ("NPN.JO", "cents")]
)
def test_shares_quoted_in_hundredths_are_worth_that_and_it_is_told(symbol: str, unit: str) -> None:
    result = traded(CENTS, symbol)
    assert result.setup.instruments[0].point_value == 0.01
    assert is_severe(result, f"quoted in {unit}")
    for worth in (0.01, 1.0):
        said = traded(CENTS, symbol, instruments={symbol: {"point_value": worth}})
        assert said.setup.instruments[0].point_value == worth
        assert not told(said, "quoted in")
