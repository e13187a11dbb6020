"""Signals and weights with dates: each value at the bar that its stamp names, or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intrabar as ib

NAN = float("nan")


def frame(bars: int = 40, start: str = "2024-01-02", freq: str = "B", tz: Any = None) -> Any:
    close = 100.0 + np.arange(bars) % 7
    index = pd.date_range(start, periods=bars, freq=freq, tz=tz, name="Date")
    columns = {"Open": close, "High": close + 1, "Low": close - 1, "Close": close}
    return pd.DataFrame({**columns, "Volume": 1000.0}, index=index)


def deals(strategy: Any, data: Any, **how: Any) -> list[tuple[Any, ...]]:
    fills = ib.backtest(strategy, data, **how).fills
    return fills.select("bar", "symbol", "side", "qty").rows()


def drawn(bars: int, seed: int = 3) -> Any:
    return np.random.default_rng(seed).choice([1.0, -1.0, 0.0, NAN], bars)


DATA = frame()
SIDE = pd.Series(drawn(40), index=DATA.index)
RIGHT = deals(ib.Signals(SIDE.to_numpy()), DATA)


def about_rows(result: Any) -> list[str]:
    """What the result says of the rows of its signals."""
    return [text for text in result.warnings if text.startswith("signals: ")]


@pytest.mark.parametrize(
    "signals",
    [
        ib.Signals(SIDE),
        ib.Signals(SIDE[::-1]),
        ib.Signals(SIDE.sample(frac=1.0, random_state=1)),
        ib.Signals(SIDE.tz_localize("America/New_York")),
        ib.Signals(SIDE.tz_localize("UTC")[::-1]),
        ib.Signals(SIDE.set_axis(SIDE.index.astype("datetime64[s]"))[::-1]),
        ib.Signals(SIDE.set_axis([str(d)[:10] for d in SIDE.index])[::-1]),
        ib.Signals(SIDE.set_axis([d.date() for d in SIDE.index])[::-1]),
        ib.Signals({"ASSET": SIDE[::-1]}),
        ib.Signals(SIDE[::-1].to_frame("said")),
        ib.Signals(SIDE[::-1].rename("ASSET").reset_index(), time="Date"),
        ib.Signals(SIDE[::-1].rename("side").reset_index(), time="Date"),
        ib.Signals(SIDE[::-1].rename("side").to_frame(), time="Date"),
        ib.Signals(SIDE.to_numpy()[::-1], time=SIDE.index[::-1]),
        ib.Signals(list(SIDE[::-1]), time=[d.date() for d in SIDE.index[::-1]]),
        ib.Signals(pl.DataFrame({"d": SIDE.index.date[::-1], "side": SIDE[::-1]}), time="d"),
        ib.Signals(pl.DataFrame({"d": SIDE.index[::-1], "ASSET": SIDE[::-1]}), time="d"),
        ib.Signals(pl.Series(SIDE[::-1]), time=pl.Series(SIDE.index[::-1])),
        ib.Signals(SIDE.reset_index(drop=True)),
    ],
)
def test_however_the_dates_come_the_signals_stand_at_their_bars(signals: Any) -> None:
    result = ib.backtest(signals, DATA)
    assert result.fills.select("bar", "symbol", "side", "qty").rows() == RIGHT
    assert about_rows(result) == []


@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_rows_in_any_order_and_number_trade_as_the_array_with_holes(rng: Any, kept: int) -> None:
    rows = rng.sample(range(40), kept)
    holed = np.full(40, NAN)
    holed[rows] = SIDE.to_numpy()[rows]
    assert deals(ib.Signals(SIDE.iloc[rows]), DATA) == deals(ib.Signals(holed), DATA)


def test_booleans_and_whole_numbers_are_aligned_too() -> None:
    long = SIDE == 1.0
    plain = deals(ib.Signals(long.to_numpy()), DATA)
    assert plain
    for form in (long[::-1], long.astype(int)[::-1], long.astype("boolean")[::-1]):
        assert deals(ib.Signals(form), DATA) == plain


def test_sizes_and_stops_are_aligned_by_their_own_dates() -> None:
    size = pd.Series(np.arange(1.0, 41.0), index=DATA.index)
    stop = pd.Series(np.linspace(1.0, 3.0, 40), index=DATA.index)
    arrays = {"qty": size.to_numpy(), "stop": stop.to_numpy(), "target": 2 * stop.to_numpy()}
    plain = deals(ib.Signals(SIDE.to_numpy(), **arrays), DATA)
    turned = {"qty": size[::-1], "stop": stop[::-1], "target": 2 * stop[::-1]}
    assert deals(ib.Signals(SIDE[::-1], **turned), DATA) == plain
    table = pd.DataFrame({"side": SIDE, **turned})[::-1]
    assert deals(ib.Signals(table), DATA) == plain


def test_predictions_shorter_than_the_bars_say_so() -> None:
    result = ib.backtest(ib.Signals(SIDE.iloc[10:35]), DATA)
    assert about_rows(result) == [
        "signals: side: 15 bars have none, from bar 0 (2024-01-02) to bar 39 (2024-02-26); "
        "nothing is asked there"
    ]


def test_what_lies_outside_of_the_bars_is_left_out_and_told() -> None:
    cut = DATA.iloc[6:36]
    result = ib.backtest(ib.Signals(SIDE), cut)
    assert about_rows(result) == [
        "signals: side: 10 of 40 fell outside of the bars and were left out, the first at "
        "2024-01-02; the bars run from 2024-01-10 to 2024-02-20"
    ]
    plain = deals(ib.Signals(SIDE.to_numpy()[6:36]), cut)
    assert result.fills.select("bar", "symbol", "side", "qty").rows() == plain
    by_date = ib.backtest(ib.Signals(SIDE), DATA, start="2024-01-10", end="2024-02-20")
    bars = len(by_date.market)
    assert f"{40 - bars} of 40 fell outside" in about_rows(by_date)[0]


YEARS = np.datetime64("1500-01-01T00:00:00") + np.arange(40) * np.timedelta64(86_400, "s")
BLANK = pl.DataFrame({"d": [*SIDE.index[:2], None, *SIDE.index[3:]], "side": SIDE.to_numpy()})
ZONED = [SIDE.index[0].tz_localize("UTC"), *SIDE.index[1:]]


def moved(days: int) -> Any:
    return SIDE.set_axis(SIDE.index + pd.Timedelta(days=days))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ib.Signals(moved(3000)), "2032-03-20 fits no bar; the bars run from"),
        (lambda: ib.Signals(moved(1)), "2024-01-06 fits no bar"),
        (lambda: ib.Signals(moved(0).set_axis(DATA.index + pd.Timedelta(hours=3))), "fits no bar"),
        (lambda: ib.Signals(pd.concat([SIDE, SIDE.iloc[5:6]])), "2024-01-09 is there twice"),
        (lambda: ib.Signals(SIDE.set_axis(range(40, 0, -1))), "neither stamps nor 0, 1, 2"),
        (lambda: ib.Signals(SIDE.to_period("D")), r"\.to_timestamp\(\)"),
        (lambda: ib.Signals(SIDE.set_axis([f"r{k}" for k in range(40)])), "stamp 0 is 'r0'"),
        (lambda: ib.Signals(SIDE.set_axis(DATA.index.where(SIDE == 1))), "is missing"),
        (lambda: ib.Signals(SIDE.iloc[:0]), "there are no rows"),
        (lambda: ib.Signals(SIDE.reset_index()), "column 'Date' has stamps; write time='Date'"),
        (lambda: ib.Signals(SIDE.reset_index(), time="date"), "unknown column.*'Date'"),
        (lambda: ib.Signals(SIDE.to_numpy(), time="Date"), "this is no frame"),
        (lambda: ib.Signals(SIDE.to_numpy(), time=DATA.index[1:]), "40 rows, but time has 39"),
        (lambda: ib.Signals(SIDE, label="middle"), "label is 'middle'"),
        (lambda: ib.Signals(pd.DataFrame({"side": SIDE, "size": 1})), "'size' beside side"),
        (lambda: ib.Signals(pd.DataFrame({"A": SIDE, "B": SIDE})), "column 'A' is not traded"),
        (lambda: ib.Signals({"B": SIDE}), "'B', which is not traded"),
        (lambda: ib.Signals(SIDE, qty=-SIDE.abs() - 1), "qty has -"),
        (lambda: ib.Signals([[1], [1, 2], [0]]), "rows of different lengths"),
        (lambda: ib.Signals(object()), "must be a number"),
        (lambda: ib.Signals(np.ones(40) * 1j), "complex128, must be numbers"),
        (lambda: ib.Signals(np.ones((40, 2))), r"has shape \(40, 2\)"),
        (lambda: ib.Signals(SIDE.to_numpy(), time=YEARS), "outside of the years 1678 to 2261"),
        (lambda: ib.Signals(list(SIDE), time=YEARS.tolist()), "outside of the years 1678 to 2261"),
        (lambda: ib.Signals(BLANK, time="d"), r"stamp 2 is missing \(null\)"),
        (lambda: ib.Signals(BLANK), "column 'd' has stamps; write time="),
        (lambda: ib.Signals(list(SIDE), time=ZONED), "some stamps have a zone and some have none"),
        (
            lambda: ib.Signals({"ASSET": pd.DataFrame({"A": SIDE, "B": SIDE})}),
            "a frame of 2 columns",
        ),
        (lambda: ib.Signals(pd.DataFrame({"side": SIDE, "qty": 1}), qty=2), "qty is given twice"),
        (lambda: ib.Weights(moved(1)), "2024-01-06 fits no bar"),
        (lambda: ib.Weights(pd.DataFrame({"B": SIDE})[::-1].assign(C=1.0)), "'B' is not traded"),
    ],
)
def test_what_fits_no_bar_is_refused_with_the_first(make: Any, message: str) -> None:
    with pytest.raises(ib.UsageError, match=message):
        ib.backtest(make(), DATA)


def test_a_wrong_length_says_what_the_bars_are() -> None:
    with pytest.raises(
        ib.ConfigError,
        match=r"has 40 rows, the timeline has .. bars, from .* to .* as start= and end= leave",
    ):
        ib.backtest(ib.Signals(SIDE.to_numpy()), DATA, start="2024-01-10", end="2024-02-20")


# Bars within the day: the stamp is that of the frame, an instant.


def hours(tz: Any = "UTC", bars: int = 200) -> Any:
    return frame(bars, "2024-03-04 00:00", "h", tz)


def test_stamps_within_the_day_are_instants() -> None:
    data = hours()
    side = pd.Series(drawn(200), index=data.index)
    plain = deals(ib.Signals(side.to_numpy()), data)
    for form in (side[::-1], side.tz_convert("Asia/Tokyo")[::-1]):
        assert deals(ib.Signals(form), data) == plain


def test_closes_as_stamps_are_told_from_opens() -> None:
    data = hours()
    side = pd.Series(drawn(200), index=data.index)
    plain = deals(ib.Signals(side.to_numpy()), data)
    ends = side.set_axis(side.index + pd.Timedelta(hours=1))
    assert deals(ib.Signals(ends), data) == plain
    assert deals(ib.Signals(ends, label="end"), data) == plain
    part = ib.backtest(ib.Signals(side.iloc[50:90]), data)
    assert "fit the starts of bars and the ends of others" in about_rows(part)[0]
    holed = np.full(200, NAN)
    holed[50:90] = side.iloc[50:90]
    assert deals(ib.Signals(side.iloc[50:90], label="start"), data) == deals(
        ib.Signals(holed), data
    )
    assert deals(ib.Signals(ends.iloc[50:90], label="end"), data) == deals(ib.Signals(holed), data)


def test_a_naive_index_is_in_the_zone_that_is_named_or_refused() -> None:
    data = hours("America/New_York")
    side = pd.Series(drawn(200), index=data.index)
    plain = deals(ib.Signals(side.to_numpy()), data, symbols="IBM")
    naive = side.tz_localize(None)
    for form in (
        ib.Signals(naive[::-1], zone="America/New_York"),
        ib.Signals(naive[::-1], zone=ib_zone("America/New_York")),
        ib.Signals(naive[::-1]),  # only New York's zone has a bar for every stamp
    ):
        assert deals(form, data, symbols="IBM") == plain
    with pytest.raises(ib.ConfigError, match="fit the bars in America/New_York and in UTC"):
        ib.backtest(ib.Signals(naive.iloc[50:90]), data, symbols="IBM")
    with pytest.raises(ib.ConfigError, match="unknown time zone 'Mars'"):
        ib.backtest(ib.Signals(naive, zone="Mars"), data, symbols="IBM")


def test_an_hour_that_happens_twice_in_the_zone_that_is_named_is_refused() -> None:
    data = frame(40, "2024-11-03", "h", "UTC")  # New York has 01:00 twice, at 05:00 and 06:00 UTC
    stamps = pd.to_datetime(["2024-11-03 00:00", "2024-11-03 01:00", "2024-11-03 02:00"])
    side = pd.Series([1.0, 0.0, 1.0], index=stamps)
    with pytest.raises(ib.ConfigError, match=r"01:00.* is no single instant in America/New_York"):
        ib.backtest(ib.Signals(side, zone="America/New_York"), data, symbols="BTCUSD")


def ib_zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def test_the_zone_of_the_call_is_that_of_the_signals() -> None:
    naive = hours(None)
    side = pd.Series(drawn(200), index=naive.index).iloc[50:90]
    one = deals(ib.Signals(side, zone="Asia/Tokyo"), naive, zone="Asia/Tokyo", symbols="BTCUSD")
    assert deals(ib.Signals(side), naive, zone="Asia/Tokyo", symbols="BTCUSD") == one


def test_stamps_between_bars_and_dates_on_shorter_bars_are_refused() -> None:
    data = hours()
    side = pd.Series(drawn(200), index=data.index + pd.Timedelta(minutes=1))
    with pytest.raises(ib.ConfigError, match="2024-03-04 00:01:00 fits no bar"):
        ib.backtest(ib.Signals(side), data)
    dates = pd.Series([1.0, 0.0], index=pd.to_datetime(["2024-03-05", "2024-03-07"], utc=True))
    with pytest.raises(ib.ConfigError, match="dates, but the bars are shorter than a day"):
        ib.backtest(ib.Signals(dates), data)


def test_daily_bars_are_named_by_the_date_of_their_session() -> None:
    # Futures close at 21:00 or 22:00 UTC and open the evening before.
    side = pd.Series(drawn(40), index=DATA.index)
    for symbol, calendar in {"ES": "CME_Equity", "IBM": "NYSE", "BTCUSD": "24/7"}.items():
        how: Any = {"symbols": symbol, "cash": 1e9}
        how["config"] = {"instruments": {symbol: {"calendar": calendar}}}
        plain = deals(ib.Signals(side.to_numpy()), DATA, **how)
        assert plain
        assert deals(ib.Signals(side[::-1]), DATA, **how) == plain
        # What tables call the bar, its close, names it too.
        market = ib.backtest(ib.Signals(0), DATA, **how).market
        closes = pd.DatetimeIndex(market.time.view("datetime64[ns]")).tz_localize("UTC")
        assert deals(ib.Signals(side.set_axis(closes)[::-1]), DATA, **how) == plain


# Several instruments.


def test_one_series_does_not_stand_for_several_instruments() -> None:
    data = {"AAPL": DATA, "MSFT": DATA * 2}
    with pytest.raises(ib.ConfigError, match="one series for 2 instruments"):
        ib.backtest(ib.Signals(SIDE), data)
    with pytest.raises(ib.ConfigError, match="one series for 2 instruments"):
        ib.backtest(ib.Signals(SIDE.to_numpy()), data)


def test_columns_go_by_their_names() -> None:
    data = {"AAPL": DATA, "MSFT": DATA * 2}
    wide = pd.DataFrame({"MSFT": drawn(40, 1), "AAPL": drawn(40, 2)}, index=DATA.index)
    plain = deals(ib.Signals({s: wide[s].to_numpy() for s in wide}), data)
    forms = [wide, wide[::-1], wide[["AAPL", "MSFT"]], {"AAPL": wide["AAPL"], "MSFT": wide["MSFT"]}]
    for form in forms:
        assert deals(ib.Signals(form), data) == plain
    with pytest.raises(ib.ConfigError, match="no column for AAPL"):
        ib.backtest(ib.Signals(wide[["MSFT"]]), data)
    with pytest.raises(ib.ConfigError, match="column 'IBM' is not traded"):
        ib.backtest(ib.Signals(wide.rename(columns={"MSFT": "IBM"})), data)


def test_weights_are_aligned_as_signals_are() -> None:
    data = {"AAPL": DATA, "MSFT": DATA * 2}
    weights = np.random.default_rng(5).uniform(-0.4, 0.4, (40, 2))
    weights[::3] = NAN
    wide = pd.DataFrame(weights, index=DATA.index, columns=["AAPL", "MSFT"])
    plain = deals(ib.Weights(weights), data)
    for form in (wide[::-1], wide[["MSFT", "AAPL"]], {s: wide[s][::-1] for s in wide}):
        assert deals(ib.Weights(form), data) == plain
    timed = wide[::-1].reset_index()
    assert deals(ib.Weights(timed, time="Date"), data) == plain
    assert deals(ib.Weights(pl.from_dicts(timed.to_dict("records")), time="Date"), data) == plain
    with pytest.raises(ib.ConfigError, match="no column for MSFT"):
        ib.backtest(ib.Weights(wide[["AAPL"]]), data)
    alone = wide["AAPL"]
    one = deals(ib.Weights(alone.to_numpy().reshape(-1, 1)), DATA)
    assert deals(ib.Weights(alone[::-1]), DATA) == one


def test_instruments_that_close_at_other_hours_share_their_dates() -> None:
    # A coin's day ends at midnight UTC, after that of a share: two rows a day.
    data = {"AAPL": DATA, "BTCUSD": DATA * 3}
    wide = pd.DataFrame({"AAPL": drawn(40, 1), "BTCUSD": drawn(40, 2)}, index=DATA.index)
    calendars = {"AAPL": {"calendar": "NYSE"}, "BTCUSD": {"calendar": "24/7", "lot": 1}}
    how: Any = {"cash": 1e6, "config": {"instruments": calendars}}
    both = ib.backtest(ib.Signals(wide[::-1]), data, **how)
    assert len(both.market) == 80
    for symbol in data:
        how["config"] = {"instruments": {symbol: calendars[symbol]}}
        alone = ib.backtest(ib.Signals(wide[symbol].to_numpy()), {symbol: data[symbol]}, **how)
        fills = both.fills.filter(pl.col("symbol") == symbol)
        assert fills["price"].to_list() == alone.fills["price"].to_list()
        assert len(fills)


def test_a_run_in_chunks_aligns_the_same(tmp_path: Path) -> None:
    signals = ib.Signals(SIDE.iloc[5:35][::-1])
    whole = ib.backtest(signals, DATA)
    parts = ib.backtest(signals, DATA, chunk=7, out=tmp_path)
    assert parts.digest == whole.digest


def test_trials_of_a_sweep_know_dates_apart() -> None:
    from intrabar.app.compose.factories import state_of

    assert state_of(SIDE) != state_of(moved(1))
    assert state_of(SIDE) == state_of(SIDE.copy())
    words = pd.Series(["LONG", "FLAT"] * 20)
    assert state_of(words) == state_of(pd.Series(["LONG", "FLAT"] * 20))
