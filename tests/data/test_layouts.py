"""Layouts of bars as people have them: right, or refused with the option that makes them right.

Every file is written here; what is right is the same eight bars in all of them.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from intrabar.app.cli.reading_options import parse_columns, parse_mapping, parse_only
from intrabar.data.catalogue import Catalogue
from intrabar.data.readers import Reading
from intrabar.data.reading.file_names import symbol_of
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import Bars

from .conftest import ns

DAYS = [f"2024-03-{d:02}" for d in (4, 5, 6, 7, 8, 11, 12, 13)]
MINUTES = [f"2024-03-12 09:{m}:00" for m in range(30, 38)]
UTC_MINUTES = [m.replace(" 09:", " 13:") for m in MINUTES]
PRICES = [(50 + i / 2, 51 + i / 2, 49.5 + i / 2, 50.5 + i / 2, 1000 + i) for i in range(8)]
ROW = "{s},{o},{h},{l},{c},{v}"
HEAD = "Date,Open,High,Low,Close,Volume\n"
NINJA = [f"20240312 09{m}00" for m in range(30, 38)]
DIGITS = [m.replace("-", "").replace(" ", "").replace(":", "")[:12] for m in MINUTES]
ENDS = [f"2024-03-12 09:{m}:00" for m in range(31, 39)]
EPOCHS = [1710250200 + 60 * i for i in range(8)]


def rows(form: str, stamps: list[str]) -> str:
    lines = [
        form.format(s=s, **dict(zip("ohlcv", p, strict=True)))
        for s, p in zip(stamps, PRICES, strict=True)
    ]
    return "\n".join(lines) + "\n"


def slashes(stamps: list[str], form: str = "{m}/{d}/{y}") -> list[str]:
    return [form.format(y=s[:4], m=s[5:7], d=s[8:10]) + s[10:] for s in stamps]


def imported(root: Path, text: str | bytes, symbol: str, how: Reading, sort: bool = False) -> Bars:
    path = root / "bars.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    catalogue = Catalogue(root / "catalogue")
    calendar = how.calendar or None
    catalogue.import_file(path, symbol, replace(how, calendar=""), calendar=calendar, sort=sort)
    return catalogue.read(symbol)


def options(text: str) -> tuple[Reading, bool]:
    """The options of a sentence, as the command line takes them."""
    found: dict[str, object] = {}
    words = text.split(" --")
    for word in words[1:]:
        name, _, value = word.strip().partition(" ")
        value = value.strip("\"' ")
        made = {"map": parse_mapping, "columns": parse_columns, "only": parse_only}
        field = {"map": "mapping", "time-format": "time_format"}.get(name, name)
        found[field] = made[name](value) if name in made else value
    if "scale" in found:
        found["scale"] = float(str(found["scale"]))
    return Reading(**{k: v for k, v in found.items() if k != "sort"}), "sort" in found  # type: ignore[arg-type]


def right(bars: Bars, first: str) -> None:
    assert bars.open_time[0] == ns(first)
    assert bars.open.tolist() == [p[0] for p in PRICES]
    assert bars.high.tolist() == [p[1] for p in PRICES]
    assert bars.low.tolist() == [p[2] for p in PRICES]
    assert bars.close.tolist() == [p[3] for p in PRICES]


DAY = "2024-03-04T14:30"
MINUTE = "2024-03-12T13:30"
UTC = "2024-03-12T09:30"
ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("acme.csv", HEAD + rows(ROW, DAYS))
FEATHER = io.BytesIO()
pl.read_csv((HEAD + rows(ROW, DAYS)).encode(), infer_schema=True).write_ipc(FEATHER)
FIELDS = ("time", "open", "high", "low", "close", "volume")
RECORDS = [dict(zip(FIELDS, (d, *p), strict=True)) for d, p in zip(DAYS, PRICES, strict=True)]

AT_ONCE: dict[str, tuple[str | bytes, str, str]] = {
    "gz": (gzip.compress((HEAD + rows(ROW, DAYS)).encode()), "ACME", DAY),
    "bz2": (bz2.compress((HEAD + rows(ROW, DAYS)).encode()), "ACME", DAY),
    "xz": (lzma.compress((HEAD + rows(ROW, DAYS)).encode()), "ACME", DAY),
    "zip": (ZIP.getvalue(), "ACME", DAY),
    "feather": (FEATHER.getvalue(), "ACME", DAY),
    "records": (json.dumps(RECORDS), "ACME", DAY),
    "lines of JSON": ("\n".join(map(json.dumps, RECORDS)), "ACME", DAY),
    "columns of JSON": (json.dumps({f: [r[f] for r in RECORDS] for f in FIELDS}), "ACME", DAY),
    "arrays": (
        json.dumps([[1000 * t, *p] for t, p in zip(EPOCHS, PRICES, strict=True)]),
        "BTCUSDT",
        MINUTE,
    ),
    "utf-16": ((HEAD + rows(ROW, DAYS)).encode("utf-16"), "ACME", DAY),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbf" + (HEAD + rows(ROW, DAYS)).encode(), "ACME", DAY),
    "CR": ((HEAD + rows(ROW, DAYS)).replace("\n", "\r"), "ACME", DAY),
    "GBK": ("日期,开盘,最高,最低,收盘,成交量\n".encode("gbk") + rows(ROW, DAYS).encode(), "ACME", DAY),
    "no-break space": (HEAD.replace("Date", "Date\xa0") + rows(ROW, DAYS), "ACME", DAY),
    "tab": ((HEAD + rows(ROW, DAYS)).replace(",", "\t"), "ACME", DAY),
    "pipe": ((HEAD + rows(ROW, DAYS)).replace(",", "|"), "ACME", DAY),
    "preamble": ("made by us\n# zone: UTC\n" + HEAD + rows(ROW, UTC_MINUTES), "ACME", MINUTE),
    "decimal comma": (
        (HEAD + rows(ROW, DAYS)).replace(",", ";").replace(".", ","), "ACME", DAY
    ),
    "dollars": ("Date,Close/Last,Volume,Open,High,Low\n" + rows("{s},${c},{v},${o},${h},${l}", DAYS),
                "ACME", DAY),
    "ticker row": ("Price,Close,High,Low,Open,Volume\nTicker,X,X,X,X,X\nDate,,,,,\n".replace("X", "ACME")
                   + rows("{s},{c},{h},{l},{o},{v}", DAYS), "ACME", DAY),
    "of two tickers": ("Date,A_Open,A_High,A_Low,A_Close,B_Open,B_High,B_Low,B_Close\n"
                       + rows("{s},1,1,1,1,{o},{h},{l},{c}", DAYS), "B", DAY),
    "of two symbols": ("ticker,Date,Open,High,Low,Close\n" + rows("B,{s},{o},{h},{l},{c}", DAYS)
                       + rows("A,{s},1,1,1,1", DAYS), "B", DAY),
    "no header": (rows(ROW, MINUTES), "ACME", MINUTE),
    "no header, date and time": (rows(ROW, [m.replace(" ", ",") for m in MINUTES]), "ACME", MINUTE),
    "digits": ("datetime,open,high,low,close,volume\n" + rows(ROW, DIGITS), "ACME", MINUTE),
    "lost zeros": ("date,time,open,high,low,close,volume\n"
                   + rows(ROW, [f"20240312,{93000 + 100 * i}" for i in range(8)]), "BTCUSD", UTC),
    "units by row": ("time,open,high,low,close,volume\n" + rows(
        ROW, [str(t * 10 ** (3 if i < 4 else 6)) for i, t in enumerate(EPOCHS)]), "BTCUSD", MINUTE),
    "last millisecond": ("close_time,open,high,low,close,volume\n" + rows(
        ROW, [str(1000 * t + 59_999) for t in EPOCHS]), "BTCUSD", MINUTE),
    "GMT in the header": ("Gmt time,Open,High,Low,Close,Volume\n" + rows(ROW, UTC_MINUTES), "EURUSD",
                          MINUTE),
    "zone in the header": ("Time (EET),Open,High,Low,Close,Volume\n" + rows(
        ROW, [m.replace(" 09", " 15") for m in MINUTES]), "EURUSD", MINUTE),
    "GMT+0200": (HEAD + rows(ROW, [m.replace(" 09", " 15") + " GMT+0200" for m in MINUTES]), "EURUSD",
                 MINUTE),
    "EDT": (HEAD + rows(ROW, [m + " EDT" for m in MINUTES]), "ACME", MINUTE),
    "US/Eastern": (HEAD + rows(ROW, [m + " US/Eastern" for m in MINUTES]), "ACME", MINUTE),
    "+00": (HEAD + rows(ROW, [m + "+00" for m in UTC_MINUTES]), "ACME", MINUTE),
    "TotalVolume": (HEAD.replace("Vol", "TotalVol") + rows(ROW, ENDS), "ACME", MINUTE),
    "time_key": ("time_key,open,close,high,low,volume\n" + rows("{s},{o},{c},{h},{l},{v}", ENDS),
                 "ACME", MINUTE),
    "month first by its steps": (HEAD + rows(ROW, slashes(DAYS)), "ACME", DAY),
    "day first by its steps": (HEAD + rows(ROW, slashes(DAYS, "{d}/{m}/{y}")), "ACME", DAY),
    "date and epoch": ("date,timestamp,open,high,low,close\n" + rows(
        "2024-03-12,{s},{o},{h},{l},{c}", list(map(str, EPOCHS))), "ACME", MINUTE),
    "Tokyo in UTC": (HEAD + rows(
        ROW, [f"2024-03-{d:02} 15:00:00+00:00" for d in (3, 4, 5, 6, 7, 10, 11, 12)]),
        "7203.T", "2024-03-04T00:00"),
    "fixed point": ("ts_event,rtype,open,high,low,close\n" + "".join(
        f"{t}000000000,33," + ",".join(f"{round(x * 1e9)}" for x in p[:4]) + "\n"
        for t, p in zip(EPOCHS, PRICES, strict=True)), "ES", MINUTE),
    "clock in another language": (
        "Datum;Uhrzeit;Eröffnung;Hoch;Tief;Schluss;Volumen\n"
        + rows("{s};{o};{h};{l};{c};{v}", [m.replace(" ", ";") for m in MINUTES]), "ACME", MINUTE),
    "OANDA's bid and ask": (
        "time,ask.o,ask.h,ask.l,ask.c,bid.o,bid.h,bid.l,bid.c,volume\n"
        + rows("{s}Z,{o},{h},{l},{c},{o},{h},{l},{c},{v}", UTC_MINUTES), "EURUSD", MINUTE),
    "Bitfinex": ("MTS,OPEN,CLOSE,HIGH,LOW,VOLUME\n"
                 + rows("{s}000,{o},{c},{h},{l},{v}", list(map(str, EPOCHS))), "BTCUSD", MINUTE),
    "a number for each row": (
        "id,Date,Open,High,Low,Close,Volume\n"
        + rows(ROW, [f"{i},{d}" for i, d in enumerate(DAYS)]), "ACME", DAY),
}  # fmt: skip

ASKED: dict[str, tuple[str, str, str, str]] = {
    # text, symbol, the part of the sentence, first open once it is followed
    "forex": (HEAD + rows(ROW, MINUTES), "EURUSD", " --zone UTC", UTC),
    "UTC of a share": (HEAD + rows(ROW, UTC_MINUTES), "NVDA", " --zone UTC", MINUTE),
    "New York of a future": (HEAD + rows(ROW, MINUTES), "ES", " --zone America/New_York", MINUTE),
    "clocks go back": (
        HEAD + rows(ROW, [f"2024-11-03 {h}:00" for h in ("00", "01", "01", "02", "03", "04", "05", "06")]),
        "BTCUSD", " --zone America/New_York", "2024-11-03T04:00"),
    "CST": (HEAD + rows(ROW, [m.replace(" 09", " 08") + " CST" for m in MINUTES]), "ACME",
            " --zone America/Chicago", MINUTE),
    "day or month": (HEAD + rows(ROW, slashes(MINUTES)), "ACME",
                     " --time-format '%m/%d/%Y %H:%M:%S'", MINUTE),
    "NinjaTrader or HistData": (rows(ROW, NINJA).replace(",", ";"), "EURUSD",
                                " --zone EST --label start", "2024-03-12T14:30"),
    "newest first": (HEAD + "\n".join(reversed(rows(ROW, DAYS).splitlines())), "ACME", " --sort", DAY),
    "one of two tickers": (
        "ticker,Date,Open,High,Low,Close\n" + rows("A,{s},{o},{h},{l},{c}", DAYS)
        + rows("B,{s},1,1,1,1", DAYS), "ACME", " --only ticker=A", DAY),
    "another symbol": ("ticker,Date,Open,High,Low,Close\n" + rows("A1,{s},{o},{h},{l},{c}", DAYS), "ACME",
                       " --only ticker=A1", DAY),
    "other columns": ("a,b,c,d,e,f\n" + rows(ROW, DAYS), "ACME",
                      " --map time=a,open=b,high=c,low=d,close=e,volume=f", DAY),
    "no header, unknown columns": (rows("{s},{o},{h},{l},{c},9,{v}", DAYS), "ACME",
                                   " --columns time,open,high,low,close,-,volume", DAY),
    "ends": (HEAD + rows(ROW, ENDS), "ACME", " --label end", MINUTE),
    "thousands or decimals": (
        "Date;Open;High;Low;Close\n" + rows("{s};{o};{h};{l};{c}", DAYS).replace(".5", ",500").replace(
            ".0", ",000"), "ACME", " --decimal ,", DAY),
    "an exchange": (HEAD + rows(ROW, DAYS), "RELIANCE", " --calendar NYSE", DAY),
    "columns of another ticker": (
        "Date,B_Open,B_High,B_Low,B_Close\n" + rows("{s},{o},{h},{l},{c}", DAYS), "ACME",
        " --only ticker=B", DAY),
    "columns of several tickers": (
        "Date,A_Open,A_High,A_Low,A_Close,B_Open,B_High,B_Low,B_Close\n"
        + rows("{s},1,1,1,1,{o},{h},{l},{c}", DAYS), "ACME", " --only ticker=B", DAY),
    "a row of another ticker": (
        "Price,Close,High,Low,Open,Volume\nTicker,B,B,B,B,B\nDate,,,,,\n"
        + rows("{s},{c},{h},{l},{o},{v}", DAYS), "ACME", " --only ticker=B", DAY),
    "JSON of another ticker": (json.dumps({"symbol": "BQQ", "values": RECORDS}), "ACME",
                               " --only ticker=BQQ", DAY),
    "a word that changes once": (
        "desk,Date,Open,High,Low,Close\n" + rows("north,{s},{o},{h},{l},{c}", DAYS)
        + rows("south,{s},1,1,1,1", [f"2024-04-{d:02}" for d in (1, 2, 3, 4, 5, 8, 9, 10)]), "ACME",
        " --only desk=north", DAY),
    "LEAN": ("".join(
        f"20240312 09:{30 + i}," + ",".join(f"{round(x * 10000)}" for x in p[:4]) + f",{p[4]}\n"
        for i, p in enumerate(PRICES)), "ACME", " --scale 0.0001", MINUTE),
    "fixed point": ("Date,Open,High,Low,Close\n" + "".join(
        f"{d}," + ",".join(f"{round(x * 1e9)}" for x in p[:4]) + "\n"
        for d, p in zip(DAYS, PRICES, strict=True)), "ACME", " --scale 1e-9", DAY),
    "CST in the header": ("Time (CST),Open,High,Low,Close,Volume\n" + rows(
        ROW, [m.replace(" 09", " 08") for m in MINUTES]), "EURUSD",
        " --zone America/Chicago", MINUTE),
}  # fmt: skip

REFUSED = {
    "32nds": (HEAD + "".join(f"{d},110-160,110-240,110-080,110-200,1\n" for d in DAYS), "32nds"),
    "negative": (HEAD + rows("{s},-{o},-{l},-{h},-{c},{v}", DAYS), "zero or less .*2024-03-04"),
    "long rows": (HEAD + rows(ROW + ",1,2", DAYS), "row 2 has more fields"),
    "open quote": (HEAD + rows(ROW, DAYS[:8]) + '"2024-03-14,1,1,1,1,1\n', "line 10 has a quote"),
    "two periods": (HEAD + rows(ROW, DAYS) + rows(ROW, [f"2024-03-14 09:{m}" for m in range(30, 38)]),
                    "bars of 1d .* bars of 1m"),
    "one date": (HEAD + rows(ROW, ["2024-03-12"] * 8), "7 rows have the time of another row"),
    "epochs beyond": (HEAD + rows(ROW, [str(4102444800 + i) for i in range(8)]), "no stamp"),
    "lost digits": (HEAD + rows(ROW, ["1.71025e+09"] * 8), "lost their digits"),
    "offsets and none": (HEAD + rows(ROW, [*MINUTES[:4], *(m + "Z" for m in MINUTES[4:])]),
                         "some stamps carry an offset"),
    "mixed, day first": (HEAD + rows(ROW, [*DAYS[:4], *slashes(DAYS[4:], "{d}/{m}/{y}")]), "day first"),
    "ticks": ("Timestamp,Price,Size\n" + rows("{s},{o},{v}", MINUTES), "look like ticks"),
    "quotes of ticks": ("Timestamp,Bid,Ask\n" + rows("{s},{o},{h}", MINUTES), "look like ticks"),
    "ticks without a header": (rows("{s},{o},{v}", MINUTES), "3 columns are too few"),
    "days of Excel": (HEAD + rows(ROW, [f"{45363.5 + i}" for i in range(8)]), "as Excel counts"),
    "hours and minutes apart": (
        "Date,Hour,Minute,Open,High,Low,Close\n"
        + rows("{s},{o},{h},{l},{c}", [f"{d},9,30" for d in DAYS]), "in parts.*'Hour', 'Minute'"),
    "years, months and days apart": (
        "Year,Month,Day,Open,High,Low,Close\n"
        + rows("{s},{o},{h},{l},{c}", [d.replace("-", ",") for d in DAYS]), "in parts.*'Year'"),
    "a point among decimal commas": (
        "Date;Open;High;Low;Close;Volume\n" + rows("{s};50,5;51,5;49,5;50,75;1.07K", DAYS),
        r"'1\.07K'.*volume="),
    "volume in words": (HEAD + rows("{s},{o},{h},{l},{c},{v} Mio", DAYS), "'1000 Mio'.*volume="),
    "instruments by a number": (
        "asset_id,Date,Open,High,Low,Close\n" + rows("1,{s},{o},{h},{l},{c}", DAYS)
        + rows("2,{s},{o},{h},{l},{c}", [f"2024-04-{d:02}" for d in (1, 2, 3, 4, 5, 8, 9, 10)]),
        "several instruments: 1, 2"),
    "a page": ("<!DOCTYPE html><html></html>", "a web page"),
    "a comma of two meanings": (
        "Date;Open;High;Low;Close\n" + rows("{s};50,5;51,5;49,5;50,25", DAYS)
        + "2024-03-14;1,050,000;1,051,000;1,049,000;1,050,500\n", "a comma has two meanings"),
    "no numbers": ('[' + ",".join(
        json.dumps({"date": d, "open": True, "high": 2, "low": 1, "close": 2}) for d in DAYS) + "]",
        "'open' holds no numbers"),
    "words for prices": (rows("{s},a,b,c,d,{v}", MINUTES), "the file has no header|no header"),
    "no stamp first": (rows("{o},{h},{l},{c},{v}", DAYS), "no header.*no stamp"),
    "prices in another order": (rows("{s},{l},{c},{h},{o},{v}", DAYS), "do not look like open"),
    "JSON of no bars": ('{"status": "ok", "count": 0}', "holds no bars"),
    "JSON of two shares": (json.dumps({"A1": RECORDS, "B1": RECORDS}), "several instruments: A1, B1"),
    "a line in a cell": (HEAD.replace("Date", "Date,Note") + rows('{s},"a\nb",{o},{h},{l},{c},{v}', DAYS),
                         "line 2 has a quote"),
    "a database": (b"SQLite format 3\x00" + bytes(100), "an SQLite database"),
    "a pickle": (pickle.dumps(DAYS), "a pickle"),
    "bytes": (bytes(b for b in range(128, 256) if b not in (0, 44, 59, 124, 9)) * 8, "neither text"),
    "a zone that is none": ("# zone: Nowhere/Land\n" + HEAD + rows(ROW, MINUTES), "no zone known here"),
    "JSON cut": ('[{"date": "2024-03-04", "open": 5', "damaged or cut short"),
    "zip of two": (None, "holds 2 files"),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_layout_is_read_right_at_once(tmp_path: Path, name: str) -> None:
    text, symbol, first = AT_ONCE[name]
    right(imported(tmp_path, text, symbol, Reading()), first)


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_leads_to_the_right_bars(tmp_path: Path, name: str) -> None:
    text, symbol, sentence, first = ASKED[name]
    with pytest.raises(DataError) as caught:
        imported(tmp_path, text, symbol, Reading())
    flag = sentence.split()[0]
    assert flag in str(caught.value)
    assert "CST" not in name or "may be America/Chicago" in str(caught.value)
    how, sort = options(sentence)
    right(imported(tmp_path, text, symbol, how, sort), first)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    text, words = REFUSED[name]
    content: str | bytes | None = text
    if content is None:
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w") as two:
            two.writestr("a.csv", HEAD)
            two.writestr("b.csv", HEAD)
        content = box.getvalue()
    with pytest.raises(DataError, match=words):
        imported(tmp_path, content, "ACME", Reading())


NAMELESS = rows(ROW, MINUTES)
EARLY = [f"2024-03-{d:02}" for d in (3, 4, 5, 6, 7, 10, 11, 12)]
LATE = [f"2024-03-{d:02}" for d in (5, 6, 7, 8, 9, 12, 13, 14)]
TWO = "ticker,Date,Open,High,Low,Close\n" + rows("A,{s},{o},{h},{l},{c}", DAYS)
WIDE = "Date,A_Open,A_High,A_Low,A_Close,B_Open,B_High,B_Low,B_Close\n" + rows(
    "{s},{o},{h},{l},{c},,,,", DAYS
)


@pytest.mark.parametrize(
    ("text", "how", "words"),
    [
        (HEAD + NAMELESS, Reading(label="middle"), "label is 'middle'"),
        (HEAD + NAMELESS, Reading(decimal=";"), "decimal is ';'"),
        (NAMELESS, Reading(mapping={"time": "a"}), "--map finds no names"),
        (HEAD + NAMELESS, Reading(columns=("time",) * 9), "--columns names 9 columns"),
        (TWO, Reading(only={"desk": "A"}), "--only: no column 'desk'"),
        (TWO, Reading(only={"ticker": "C"}), "has no 'C'; it has A"),
        (WIDE, Reading(only={"ticker": "B"}), "all its prices are blank"),
        (HEAD + rows(ROW, EARLY), Reading(calendar="NYSE"), "one day early: 2024-03-03"),
        (HEAD + rows(ROW, LATE), Reading(calendar="NYSE"), "one day late: 2024-03-09"),
        (HEAD + rows(ROW, DAYS), Reading(period="5m"), "the stamps are dates, the period 5m"),
    ],
)
def test_options_that_do_not_fit_the_file_are_refused(
    tmp_path: Path, text: str, how: Reading, words: str
) -> None:
    with pytest.raises((DataError, ConfigError), match=words):
        imported(tmp_path, text, "ACME", how)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_columns, "time,open,high,low"),
        (parse_columns, "time,open,high,low,close,close"),
        (parse_only, "ticker"),
        (parse_only, "ticker="),
        (parse_mapping, "open"),
        (parse_mapping, "open="),
    ],
)
def test_options_that_are_none_are_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ConfigError, match=r"write it like"):
        parse(text)


def test_the_hour_that_happens_twice_in_a_file_that_is_newest_first(tmp_path: Path) -> None:
    hours = [f"2024-11-03 {h}:00" for h in ("00", "01", "01", "02", "03", "04", "05", "06")]
    text = HEAD + "\n".join(reversed(rows(ROW, hours).splitlines()))
    bars = imported(tmp_path, text, "BTCUSD", Reading(zone="America/New_York"), sort=True)
    right(bars, "2024-11-03T04:00")


def test_what_was_guessed_or_left_out_is_told(tmp_path: Path) -> None:
    told: dict[str, str] = {}
    texts = {
        "preamble": "some words\n" + HEAD + rows(ROW, DAYS),
        "no header": rows(ROW, DAYS),
        "no volume": HEAD.replace("Volume", "CumVolX") + rows(ROW, DAYS),
        "two volumes": "Date,Open,High,Low,Close,Volume BTC,Volume USD\n" + rows(ROW + ",7", DAYS),
        "jump": HEAD + rows(ROW, DAYS) + "2024-03-14,5000,5100,4950,5050,1\n",
        "other values": HEAD + rows(ROW, DAYS) + "2024-03-13,53.5,54.5,53,54.25,9\n",
        "two tickers": "Date,ACME_Open,ACME_High,ACME_Low,ACME_Close,B_Open,B_High,B_Low,B_Close\n"
        + rows("{s},{o},{h},{l},{c},1,1,1,1", DAYS),
        "rows of two": "ticker,Date,Open,High,Low,Close\n"
        + rows("ACME,{s},{o},{h},{l},{c}", DAYS)
        + rows("B,{s},1,1,1,1", DAYS),
        "long row": HEAD + rows(ROW, DAYS) + "2024-03-14,1,1,1,1,1,9,9\n",
    }
    for name, text in texts.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        done = Catalogue(tmp_path / "c").import_file(path, "ACME", sort=True)
        told[name] = " ".join(f.text for f in done.findings if f.severity != "ok")
    assert "lines above the table" in told["preamble"]
    assert "read as time,open,high,low,close,volume" in told["no header"]
    assert "'CumVolX'" in told["no volume"]
    assert "not read: 'Volume USD'" in told["two volumes"]
    assert "of the tickers ACME, B the columns of ACME were read" in told["two tickers"]
    assert "ACME, B, the rows of ACME were read" in told["rows of two"]
    assert "another unit" in told["jump"]
    assert "close 54 of row 9, not 54.25 of row 10" in told["other values"]
    assert "more cells than the header" in told["long row"]
    assert all("NYSE" in text for text in told.values())  # ACME is not in the table


def test_a_workbook_needs_its_extra(tmp_path: Path) -> None:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises((ConfigError, DataError), match=r"intrabar\[excel\]|workbook"):
        imported(tmp_path, box.getvalue(), "ACME", Reading())


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BINANCE_BTCUSDT, 60.csv", "BTCUSDT"),
        ("CME_MINI_ES1!, 1.csv", "ES1!"),
        ("DAT_ASCII_EURUSD_M1_2024.csv", "EURUSD"),
        ("BTCUSDT-1m-2024-01.zip", "BTCUSDT"),
        ("BTC_USDT-5m.json", "BTCUSDT"),
        ("Binance_BTCUSDT_1h.csv", "BTCUSDT"),
        ("EURUSD_M1_202401020000_202412312358.csv", "EURUSD"),
        ("aapl.us.txt", "AAPL"),
        ("SAP.DE.csv", "SAP.DE"),
        ("nvda_hourly.csv.gz", "NVDA"),
        ("data.csv", ""),
        ("AAPL_MSFT.csv", ""),
    ],
)
def test_the_symbol_of_a_file_s_name(name: str, symbol: str) -> None:
    if symbol:
        assert symbol_of(Path(name)) == symbol
    else:
        with pytest.raises(DataError, match="--symbol"):
            symbol_of(Path(name))
