"""One bar series has one meaning, through whichever door it comes."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

import intrabar as ib
from intrabar.data.calendars import sessions
from intrabar.data.catalogue import Catalogue
from intrabar.data.readers import Reading
from intrabar.errors import ConfigError, DataError, IntrabarError, NotFoundError

MARCH = 19_797  # 2024-03-15: clocks go forward in Europe, and Good Friday follows


class Weekly(ib.Strategy):
    """Trades now and then, and keeps what it sees of the weeks."""

    seen: list[Any] = []  # noqa: RUF012 - what the run is asked for afterwards

    def indicators(self) -> dict[str, ib.Indicator]:
        return {"mean": ib.sma(2).on("1w")} if self.weekly else {}

    def __init__(self, weekly: bool) -> None:
        self.weekly = weekly

    def on_close(self, now: Any) -> None:
        if self.weekly:
            weeks = now.history("close", 2, timeframe="1w") if now["mean"] == now["mean"] else []
            Weekly.seen.append((now.bar, *map(float, weeks)))
        if now.bar % 7 == 2:
            now.buy(1, tif="day", limit=now.close * 0.999)
        if now.bar % 7 == 6 and not now.is_flat:
            now.close_position()


def stamps(calendar: str, period: str, days: int) -> list[pd.Timestamp]:
    """Where bars open: in sessions of the calendar, or around the clock."""
    if calendar in ("24/7", "none"):
        step = {"1d": "D", "1h": "h", "15m": "15min"}[period]
        first = pd.Timestamp("2024-03-15", tz="UTC")
        return list(pd.date_range(first, first + pd.Timedelta(days=days), freq=step))[:-1]
    known = sessions(calendar, MARCH, MARCH + days)
    if period == "1d":
        return [pd.Timestamp(int(d), unit="D", tz="UTC") for d in known.date]
    step = pd.Timedelta("1h" if period == "1h" else "15min").value
    zone = "America/New_York" if calendar == "NYSE" else "America/Chicago"
    found = [
        pd.Timestamp(int(at), tz="UTC").tz_convert(zone)
        for o, c in zip(known.open, known.close, strict=True)
        for at in range(int(o), int(c) - step + 1, step)
    ]
    return found


def doors(frame: pd.DataFrame, folder: Path, calendar: str) -> dict[str, dict[str, Any]]:
    """The same bars as a frame, a CSV, a Parquet file, and in the catalogue."""
    table = pl.DataFrame(
        {"time": [str(t) for t in frame.index], **{c: frame[c].to_numpy() for c in frame}}
    )
    table.write_csv(folder / "bars.csv")
    table.write_parquet(folder / "bars.parquet")
    exchange = "" if calendar == "none" else calendar
    how = Reading(calendar=exchange)
    Catalogue(folder / "catalogue").import_file(folder / "bars.csv", "ACME", how, calendar=exchange)
    said = {"calendar": calendar}
    stored = {"data": [{"symbol": "ACME", "catalogue": str(folder / "catalogue")}]}
    return {
        "frame": {"data": frame, **said},
        "csv": {"data": str(folder / "bars.csv"), **said},
        "parquet": {"data": str(folder / "bars.parquet"), **said},
        "catalogue": {"data": None, "config": stored},
    }


@pytest.mark.parametrize(
    ("calendar", "period", "chunk"),
    [
        ("NYSE", "1d", 7),
        ("NYSE", "15m", 50),
        ("CME_Equity", "1h", 31),
        ("24/7", "1d", 5),
        ("24/7", "1h", 60),
        ("none", "1d", 9),
        ("none", "15m", 100),
    ],
)
def test_four_doors_make_one_market(calendar: str, period: str, chunk: int, tmp_path: Path) -> None:
    days, seed = (40, chunk) if period == "1d" else (16, chunk)
    at = stamps(calendar, period, days)
    rng = np.random.default_rng(seed)
    keep = np.sort(rng.permutation(len(at))[: max(int(len(at) * 0.9), 6)])
    close = np.round(100 + rng.normal(0, 1, len(keep)).cumsum(), 2)
    index = [at[k] for k in keep]
    index = [t.strftime("%Y-%m-%d") for t in index] if period == "1d" else index
    frame = pd.DataFrame(
        {"open": close, "high": close + 0.5, "low": close - 0.5, "close": close, "volume": 1000.0},
        index=pd.DatetimeIndex(index, name="time"),
    )
    found = {}
    for door, how in doors(frame, tmp_path, calendar).items():
        data = how.pop("data")
        Weekly.seen = []
        made = Weekly(weekly=True)
        whole = ib.backtest(made, data, symbols="ACME", **how)
        weeks = Weekly.seen
        parts = ib.backtest(
            Weekly(weekly=False),
            data,
            symbols="ACME",
            chunk=chunk,
            out=tmp_path / f"out-{door}",
            **how,
        )
        plain = ib.backtest(Weekly(weekly=False), data, symbols="ACME", **how)
        assert parts.digest == plain.digest
        assert whole.market.day is not None
        found[door] = (
            whole.digest,
            plain.digest,
            whole.market.time.tolist(),
            whole.market.day.tolist(),
            whole.market.session_end.tolist(),
            weeks,
            whole.setup.instruments,
            whole.warnings,
        )
    for door, one in found.items():
        assert one == found["frame"], door


def bars(rows: int = 12, freq: str = "B", first: str = "2024-03-18", **how: Any) -> pd.DataFrame:
    close = 100.0 + np.arange(rows)
    index = pd.date_range(first, periods=rows, freq=freq, **how)
    return pd.DataFrame(
        {"Open": close, "High": close + 1, "Low": close - 1, "Close": close}, index=index
    )


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"symbols": "ACME"},
        {"symbols": "IBM"},
        {"calendar": "NYSE"},
        {"instruments": {"ASSET": {"calendar": "NYSE"}}},
        {"instruments": ib.Instrument("ASSET", calendar="NYSE")},
        {"config": {"instruments": {"ASSET": {"calendar": "NYSE"}}}},
        {"config": {"calendar": "NYSE"}},
    ],
)
def test_a_week_of_daily_bars_goes_from_monday_to_sunday(how: dict[str, Any]) -> None:
    Weekly.seen = []
    ib.backtest(Weekly(weekly=True), bars(), **how)
    assert Weekly.seen[-1][1:] == (104.0, 109.0)


@pytest.mark.parametrize(
    "how",
    [
        {"calendar": "NYSEE"},
        {"instruments": {"ASSET": {"calendar": "NYSEE"}}},
        {"instruments": [ib.Instrument("ASSET", calendar="NYSEE")]},
        {"config": {"calendar": "NYSEE"}},
        {"config": {"instruments": {"ASSET": {"calendar": "NYSEE"}}}},
    ],
)
def test_a_calendar_that_there_is_not_is_refused_with_the_nearest(how: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'NYSE'"):
        ib.backtest(ib.Signals([0] * 12), bars(), **how)


def test_two_calendars_of_one_instrument_are_refused() -> None:
    config = {"data": [{"symbol": "A", "file": "none.csv", "calendar": "NYSE"}]}
    with pytest.raises(ConfigError, match="two calendars are named"):
        ib.backtest(ib.Signals([0]), config=config, instruments={"A": {"calendar": "LSE"}})


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        (ZoneInfo("America/New_York"), "2024-07-01 13:30"),
        ("America/New_York", "2024-07-01 13:30"),
        (UTC, "2024-07-01 09:30"),
        (timezone(timedelta(hours=2)), "2024-07-01 07:30"),
    ],
)
def test_a_zone_is_taken_as_text_or_as_an_object(zone: Any, first: str) -> None:
    frame = bars(5, "h", "2024-07-01 09:30")
    market = ib.backtest(ib.Signals([0] * 5), frame, zone=zone, calendar="none").market
    assert market.open_time[0, 0] == pd.Timestamp(first).value


def test_naive_hours_of_a_named_calendar_need_no_zone() -> None:
    frame = bars(5, "h", "2024-07-01 09:30")
    for how in ({"instruments": {"ACME": {"calendar": "NYSE"}}}, {"calendar": "NYSE"}):
        market = ib.backtest(ib.Signals([0] * 5), frame, symbols="ACME", **how).market
        assert market.open_time[0, 0] == pd.Timestamp("2024-07-01 13:30").value
    with pytest.raises(IntrabarError, match="name the zone: zone='UTC'"):
        ib.backtest(ib.Signals([0] * 5), frame)


def test_a_name_that_is_in_no_table_means_the_same_in_a_frame_a_file_and_an_import(
    tmp_path: Path,
) -> None:
    """ACME is taken for a share where its bars keep the sessions of NYSE, and that is told."""
    frame = bars(14, "30min", "2024-07-01 09:30")[:13]
    frame["Volume"] = 5.0
    path = tmp_path / "acme.csv"
    frame.rename_axis("Date").to_csv(path)
    Catalogue(tmp_path / "catalogue").import_file(path)
    stored = {"data": [{"symbol": "ACME", "catalogue": str(tmp_path / "catalogue")}]}
    found = [
        ib.backtest(ib.Signals([0] * 13), frame, symbols="ACME"),
        ib.backtest(ib.Signals([0] * 13), path, symbols="ACME"),
        ib.backtest(ib.Signals([0] * 13), config=stored),
    ]
    for one in found:
        assert one.setup.instruments[0].calendar == "NYSE"
        assert one.market.time[0] == pd.Timestamp("2024-07-01 14:00").value
        assert any("ACME is not in the table; its bars keep" in w for w in one.warnings)
    assert found[0].warnings == found[1].warnings == found[2].warnings


def test_the_zone_that_a_name_suggests_is_held_against_the_bars_of_a_frame(tmp_path: Path) -> None:
    frame = bars(7, "h", "2024-07-01 13:30")  # NVDA in UTC
    path = tmp_path / "nvda.csv"
    frame.rename_axis("Date").to_csv(path)
    with pytest.raises(DataError, match="name the zone: zone='UTC'"):
        ib.backtest(ib.Signals([0] * 7), frame, symbols="NVDA")
    with pytest.raises(DataError, match=r"name the zone: 'zone: UTC'.*data: \[\{symbol: NVDA"):
        ib.backtest(ib.Signals([0] * 7), path, symbols="NVDA")


@pytest.mark.parametrize("kind", ["frame", "file"])
def test_a_python_call_is_not_answered_in_flags(kind: str, tmp_path: Path) -> None:
    """Whatever the sentence says is taken where it says it."""
    frame = bars(8)[::-1]
    path = tmp_path / "ibm.csv"
    frame.rename_axis("Date").to_csv(path)
    with pytest.raises(DataError) as refused:
        ib.backtest(ib.Signals([0] * 8), frame if kind == "frame" else path, symbols="IBM")
    assert "--" not in str(refused.value)
    if kind == "frame":
        assert "ib.bars_from_frame(frame, 'IBM', sort=...)" in str(refused.value)
        data: Any = ib.bars_from_frame(frame, "IBM", sort=True)
        assert ib.backtest(ib.Signals([0] * 8), data).market.time.size == 8
    else:
        assert "data: [{symbol: IBM, file: ibm.csv" in str(refused.value)
        config = {"data": [{"symbol": "IBM", "file": str(path), "sort": True}]}
        assert ib.backtest(ib.Signals([0] * 8), config=config).market.time.size == 8


def test_a_file_among_others_is_read_as_its_configuration_says(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rows = ["05.03.2024;10,5;11,5;9,5;10,5;7;B", "05.03.2024;1,5;2,5;0,5;1,5;7;A"]
    path.write_text("\n".join(rows) + "\n")
    source = {
        "symbol": "IBM", "file": str(path), "decimal": ",", "time_format": "%d.%m.%Y",
        "columns": ["time", "open", "high", "low", "close", "volume", "ticker"],
        "only": {"ticker": "B"}, "scale": 2.0,
    }  # fmt: skip
    market = ib.backtest(ib.Signals([0]), config={"data": [source]}).market
    assert market.close.tolist() == [[21.0]]


@pytest.mark.parametrize("calendar", ["none", "24/7", "NYSE", "CME_Equity", "JPX", "24/5"])
def test_a_daily_bar_bears_the_date_that_its_file_says(calendar: str) -> None:
    frame = bars(5, first="2024-07-08")
    result = ib.backtest(ib.Signals([1] * 5), frame, calendar=calendar)
    said = [f"{day:%Y-%m-%d}" for day in frame.index]
    assert [f"{t:%Y-%m-%d}" for t in result.equity["time"]] == said
    assert result.market.day is not None
    assert [str(d) for d in result.market.day.astype("datetime64[D]")] == said
    last = ib.backtest(
        ib.Signals([1] * 2), frame, calendar=calendar, start="2024-07-09", end="2024-07-10"
    )
    assert [f"{t:%Y-%m-%d}" for t in last.equity["time"]] == ["2024-07-09", "2024-07-10"]


def test_one_frame_of_two_symbols_is_refused() -> None:
    with pytest.raises(ConfigError, match="data holds the bars of one"):
        ib.backtest(ib.Signals([0] * 12), bars(), symbols=["A", "B"])


def test_a_catalogue_is_read_under_the_calendar_that_is_named(tmp_path: Path) -> None:
    frame = bars()
    pl.DataFrame(
        {"Date": [f"{t:%Y-%m-%d}" for t in frame.index], **{c: frame[c].to_numpy() for c in frame}}
    ).write_csv(tmp_path / "acme.csv")
    kept = Catalogue(tmp_path / "catalogue")
    kept.import_file(tmp_path / "acme.csv", "ACME", Reading(), calendar="")
    config = {"data": [{"symbol": "ACME", "catalogue": str(tmp_path / "catalogue")}]}
    plain = ib.backtest(ib.Signals([0] * 12), config=config)
    tokyo = ib.backtest(ib.Signals([0] * 12), config=config, calendar="JPX")
    direct = ib.backtest(ib.Signals([0] * 12), frame, symbols="ACME", calendar="JPX")
    assert plain.market.time.tolist() != tokyo.market.time.tolist()
    assert tokyo.market.time.tolist() == direct.market.time.tolist()


def test_columns_of_a_frame_that_are_not_read_are_told() -> None:
    frame = bars(8).assign(Volume=1.0, Dividends=0.0, sentiment=0.5, score=1)
    frame["Adj Close"] = frame["Close"]
    (one,) = [w for w in ib.backtest(ib.Signals([0] * 8), frame).warnings if "not read" in w]
    assert "the columns 'sentiment', 'score' are not of a bar" in one
    assert "Dividends" not in one
    assert "ib.Signals(frame['sentiment'])" in one
    ib.backtest(ib.Signals(frame["sentiment"].round()), frame)
    plain = ib.backtest(ib.Signals([0] * 8), bars(8).assign(Volume=1.0))
    assert not any("not read" in w for w in plain.warnings)


def test_what_was_guessed_of_bars_is_told_without_flags(tmp_path: Path) -> None:
    frame = bars(8).rename_axis("Date").assign(**{"Volume USD": 1.0, "Vol Q": 2.0})
    frame.to_csv(tmp_path / "btcusd.csv")
    for data, said in (
        (frame, "columns={'volume': "),
        (tmp_path / "btcusd.csv", "'columns: {volume: "),
    ):
        result = ib.backtest(ib.Signals([0] * 8), data, symbols="USDUSD", calendar="none")
        assert not any("--" in w for w in result.warnings)
        assert any("not read: 'Vol" in w or said in w for w in result.warnings)
