from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.data.formats import find_format
from intrabar.data.periods import parse_period, period_text
from intrabar.data.readers import RawBars, Reading, read_file
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS

from .conftest import day, ns

MINUTE = 60_000_000_000


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., RawBars]:
    """Write text to a file and read it."""

    def one(text: str | bytes, name: str = "bars.csv", **how: object) -> RawBars:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_file(path, Reading(**how))  # type: ignore[arg-type]

    return one


TRADESTATION = """TimeStamp,Open,High,Low,Close,TotalVolume
2024-07-05T09:31:00,100,101,99,100.5,1000
2024-07-05T09:32:00,100.5,102,100,101,1200
2024-07-05T09:33:00,101,101.5,100.5,101,900
"""

EXPORT = """"Date","Time","Open","High","Low","Close","Vol","OI","CompositeRSI"
01/03/2000,16:00,2108.75,2115.75,2072.00,2086.50,61938,13954,0.00
01/04/2000,16:00,2086.75,2088.50,2029.25,2031.25,63714,12993,0.00
01/05/2000,16:00,2031.25,2050.00,2020.00,2040.00,63000,12000,0.00
"""

YAHOO = """Date,Open,High,Low,Close,Adj Close,Volume
2024-07-03,10,12,9,11,10.5,100
2024-07-05,11,13,10,12,11.5,200
"""

HOURLY = """Time,Open,High,Low,Close,Volume
2024-07-05 09:30:00,10,12,9,11,100
2024-07-05 10:30:00,11,13,10,12,200
2024-07-05 11:30:00,12,13,11,12,200
"""


def test_tradestation_stamps_mark_the_end_in_exchange_time(read: Callable[..., RawBars]) -> None:
    raw = read(TRADESTATION, calendar="NYSE")
    assert (raw.format, raw.label, raw.zone) == ("tradestation", "end", "America/New_York")
    assert raw.close_time[0] == ns("2024-07-05T13:31")
    assert raw.open_time[0] == ns("2024-07-05T13:30")
    assert raw.period == MINUTE
    assert raw.session.tolist() == [day("2024-07-05")] * 3
    assert raw.rows.tolist() == [2, 3, 4]


def test_the_label_moves_a_bar_by_its_period(read: Callable[..., RawBars]) -> None:
    raw = read(TRADESTATION, calendar="NYSE", label="start")
    assert raw.close_time[0] == ns("2024-07-05T13:32")


def test_tradestation_export_is_daily_where_the_time_repeats(
    read: Callable[..., RawBars],
) -> None:
    raw = read(EXPORT, calendar="CME_Equity")
    assert (raw.format, raw.label, raw.period) == ("tradestation-export", "end", DAY_NS)
    assert raw.session.tolist() == [day("2000-01-03"), day("2000-01-04"), day("2000-01-05")]
    assert raw.close_time[0] == ns("2000-01-03T22:00")  # 16:00 in Chicago
    assert raw.volume[0] == 61938


def test_tradestation_export_adds_up_and_down_volume(read: Callable[..., RawBars]) -> None:
    text = '"Date","Time","Open","High","Low","Close","Up","Down"\n'
    text += "07/15/2024,09:31,1,1,1,1,10,5\n07/15/2024,932,1,1,1,1,1,2\n"
    raw = read(text, calendar="NYSE")
    assert raw.volume.tolist() == [15, 3]
    assert raw.close_time.tolist() == [ns("2024-07-15T13:31"), ns("2024-07-15T13:32")]


def test_yahoo_days_close_with_the_session(read: Callable[..., RawBars]) -> None:
    raw = read(YAHOO, calendar="NYSE")
    assert (raw.format, raw.label, raw.period) == ("yahoo", "start", DAY_NS)
    # a half day, then a whole one
    assert raw.close_time.tolist() == [ns("2024-07-03T17:00"), ns("2024-07-05T20:00")]
    assert raw.open_time.tolist() == [ns("2024-07-03T13:30"), ns("2024-07-05T13:30")]
    assert raw.prices[0].tolist() == [10, 12, 9, 11]


@pytest.mark.parametrize("calendar", ["", "24/7"])
def test_days_without_hours_close_at_the_last_moment_of_their_own_date(
    read: Callable[..., RawBars], calendar: str
) -> None:
    raw = read(YAHOO, calendar=calendar)
    assert raw.open_time.tolist() == [ns("2024-07-03"), ns("2024-07-05")]
    moment = 1_000_000
    assert raw.close_time.tolist() == [ns("2024-07-04") - moment, ns("2024-07-06") - moment]


def test_yahoo_days_with_an_offset_keep_their_local_date(read: Callable[..., RawBars]) -> None:
    text = YAHOO.replace("07-03,", "07-03 00:00:00-04:00,").replace(
        "07-05,", "07-05 00:00:00-04:00,"
    )
    raw = read(text, calendar="NYSE")
    assert raw.session.tolist() == [day("2024-07-03"), day("2024-07-05")]


def test_hourly_csv(read: Callable[..., RawBars]) -> None:
    raw = read(HOURLY, zone="America/New_York")
    assert (raw.format, raw.label, period_text(raw.period)) == ("hourly", "start", "1h")
    assert raw.close_time[0] == ns("2024-07-05T14:30")


def test_offsets_are_honoured_whatever_the_zone(read: Callable[..., RawBars]) -> None:
    text = HOURLY.replace(":00,", ":00+02:00,")
    raw = read(text, zone="America/New_York")
    assert raw.open_time[0] == ns("2024-07-05T07:30")
    raw = read(HOURLY.replace(":00,", ":00Z,"))
    assert raw.open_time[0] == ns("2024-07-05T09:30")


def test_seconds_since_1970(read: Callable[..., RawBars]) -> None:
    at = ns("2024-07-05T09:30") // 1_000_000_000
    text = f"time,open,high,low,close\n{at},1,1,1,1\n{at + 300},1,1,1,1\n"
    raw = read(text)
    assert (raw.open_time[0], period_text(raw.period)) == (ns("2024-07-05T09:30"), "5m")
    assert not raw.has_volume
    assert raw.volume.tolist() == [0, 0]


@pytest.mark.parametrize(("side", "first"), [("bid", 10), ("ask", 12), ("mid", 11)])
def test_quotes_by_side(read: Callable[..., RawBars], side: str, first: float) -> None:
    text = (
        "TimeStamp,BidOpen,BidHigh,BidLow,BidClose,BidSize,AskOpen,AskHigh,AskLow,AskClose,AskSize\n"
        "2024-07-05T09:30:00Z,10,10,10,10,5,12,12,12,12,5\n"
        "2024-07-05T09:31:00Z,,,,,0,12,12,12,12,5\n"
    )
    raw = read(text, side=side)
    assert raw.prices[0, 0] == first
    assert np.isnan(raw.prices[1, 0]) == (side != "ask")
    assert raw.label == "start"


def test_any_csv_by_a_mapping(read: Callable[..., RawBars]) -> None:
    text = "when;o;h;l;last;lots\n05.07.2024 09:30;1;2;1;2;7\n05.07.2024 09:35;1;2;1;2;8\n"
    names = {"time": "when", "open": "o", "high": "h", "low": "l", "close": "last"}
    raw = read(text, mapping={**names, "volume": "lots"}, zone="Europe/Berlin", label="end")
    assert raw.close_time[0] == ns("2024-07-05T07:30")
    assert raw.volume.tolist() == [7, 8]
    with pytest.raises(DataError, match=r"no column 'last2' for close; .* 'when', 'o'"):
        read(text, mapping={**names, "close": "last2"})
    with pytest.raises(ConfigError, match="names the field 'hihg'"):
        read(text, mapping={**names, "hihg": "h"})


def test_gzip_and_parquet_read_the_same(read: Callable[..., RawBars], tmp_path: Path) -> None:
    plain = read(TRADESTATION, calendar="NYSE")
    packed = read(gzip.compress(TRADESTATION.encode()), "bars.csv.gz", calendar="NYSE")
    frame = pl.read_csv(TRADESTATION.encode(), try_parse_dates=True)
    frame.write_parquet(tmp_path / "bars.parquet")
    parquet = read_file(tmp_path / "bars.parquet", Reading(calendar="NYSE"))
    for other in (packed, parquet):
        assert other.close_time.tolist() == plain.close_time.tolist()
        assert (other.prices == plain.prices).all()


def test_a_header_that_fits_nothing_lists_its_columns(read: Callable[..., RawBars]) -> None:
    with pytest.raises(DataError, match=r"found: 'day', 'price'") as caught:
        read("day,price\n2024-07-05,1\n")
    assert "--map" in str(caught.value)
    with pytest.raises(DataError, match="fit no known format"):
        read(YAHOO, format="tradestation")
    with pytest.raises(ConfigError, match="format is 'yahooo'"):
        read(YAHOO, format="yahooo")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"Date,Open,High,Low,Close,Volume\n", "no row of data"),
        (gzip.compress(TRADESTATION.encode())[:-20], "damaged or cut short"),
        (b"\x1f\x8b\x08junkjunk", "damaged or cut short"),
        (bytes(range(256)) * 4, "neither text nor Parquet"),
        (b"PAR1 and then nothing", "cannot be read as a table"),
        (b"hello world\n", "no header of columns"),
        (b"Date,Open,High,Low,Close\n2024-07-05,1,1,1,1,9,9\n", "row 2 has more fields than the h"),
        (b"Date,Open,High,Low,Close\nsoon,1,1,1,1\n", "no stamp of the column 'Date' can be read"),
        (b"Date,Open,High,Low,Close\n2024-07-01,1,1,1,1\n13/07/2024,1,1,1,1\n", "day first"),
        (b"Date,Open,High,Low,Close\n01/02/2024,1,1,1,1\n", "may be 2 January 2024 .*--time-fo"),
    ],
)
def test_bad_files_say_what_is_wrong(
    read: Callable[..., RawBars], content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(content)
    assert "bars.csv" in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_file(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_file(tmp_path)


def test_naive_stamps_need_a_zone(read: Callable[..., RawBars]) -> None:
    with pytest.raises(DataError, match=r"carry no offset.*--zone UTC"):
        read(HOURLY)
    with pytest.raises(ConfigError, match="unknown time zone 'New York'"):
        read(HOURLY, zone="New York")


def test_stamps_without_a_period(read: Callable[..., RawBars]) -> None:
    with pytest.raises(DataError, match="one bar has no step"):
        read("Time,Open,High,Low,Close\n2024-07-05T09:30:00Z,1,1,1,1\n")
    rng = np.random.default_rng(1)
    at = np.cumsum(rng.integers(1, 10**6, 50)) + 1_700_000_000_000
    text = "Time,Open,High,Low,Close\n" + "".join(f"{t},1,1,1,1\n" for t in at)
    with pytest.raises(DataError, match="keep no period"):
        read(text)
    assert read(text, period="1m").period == MINUTE
    weekly = "Date,Open,High,Low,Close\n" + "".join(
        f"2024-07-{d:02},1,1,1,1\n" for d in (1, 8, 15, 22, 29)
    )
    with pytest.raises(DataError, match="longer than a day"):
        read(weekly)


@pytest.mark.parametrize("text", ["30s", "1m", "5m", "1h", "4h", "1d", "1w"])
def test_period_words_go_both_ways(text: str) -> None:
    assert period_text(parse_period(text)) == text


@pytest.mark.parametrize("text", ["", "5", "m", "0m", "-5m", "5y"])
def test_a_wrong_period_word(text: str) -> None:
    with pytest.raises(ConfigError, match="write it like"):
        parse_period(text)


def test_detection_ignores_case_and_prefers_the_narrow_format() -> None:
    assert find_format(["DATE", "OPEN", "HIGH", "LOW", "CLOSE"]).name == "yahoo"
    assert find_format(["close_time", "open", "high", "low", "close"]).label == "end"
    with pytest.raises(ConfigError, match="side is 'buy'"):
        find_format(["Date"], side="buy")
