"""Files of the market, as vendors deliver them: all import, and their known defects are found.

Counts are of the collection's own description, made by another program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from intrabar.data.checks import Checked, check
from intrabar.data.periods import period_text
from intrabar.data.readers import Reading, read_file

ROW_RULES = ("stamp", "blank", "price", "volume", "ohlc", "duplicate")


@dataclass(frozen=True)
class Expected:
    rows: int
    period: str
    how: Reading
    defects: tuple[tuple[str, int], ...] = ()


def daily(rows: int, calendar: str = "NYSE", **defects: int) -> Expected:
    return Expected(rows, "1d", Reading(calendar=calendar), tuple(defects.items()))


def bars(rows: int, period: str, calendar: str, label: str = "start", **defects: int) -> Expected:
    zone = "America/Chicago" if rows == 1812 else None
    how = Reading(calendar=calendar, label=label, zone=zone)
    return Expected(rows, period, how, tuple(defects.items()))


FILES = {
    "daily/lean_aapl_1d": daily(5849),
    "daily/lean_spy_1d": daily(5849),
    "daily/mt_nvda_1d": daily(6445, duplicate=1),
    "daily/mt_spy_1d": daily(7957, duplicate=3),
    **{
        f"daily/tr_{name}_1d": daily(3769)
        for name in ("aapl", "amzn", "jnj", "jpm", "ko", "msft", "nvda", "tsla", "wmt", "xom")
    },
    "daily/vix_1d": daily(9235, ohlc=47, missing_sessions=4, dates_outside=33),
    "daily/wiki_aapl_1d": daily(3270),
    "daily/wiki_fb_1d": daily(196),
    "daily/wiki_msft_1d": daily(3270),
    "daily/yahoo_aapl_1d": daily(3379),
    "daily/yahoo_spy_1d": daily(2519, ohlc=2),
    "reference/si_default_1d": daily(502),
    "futures/ts_es_1d_indicators": daily(6523, zero_volume=1, dates_outside=15),
    "futures/yahoo_es_1d": daily(6315, ohlc=10, zero_volume=8),
    "crypto/lean_btcusd_coinbase_1d": daily(1318, "24/7", missing_sessions=34),
    "crypto/bitvavo_btceur_1h": bars(38682, "1h", "24/7", missing_bars=30),
    "crypto/lean_btcusd_coinbase_1m": bars(12423, "1m", "24/7", missing_bars=537),
    "forex/lean_eurusd_oanda_1h_quote": bars(74439, "1h", "24/5"),
    "forex/lean_eurusd_oanda_1m_quote": bars(18184, "1m", "24/5"),
    "futures/lean_es_201312_1m_quote": bars(17720, "1m", "CME_Equity", blank=49 + 19),
    "futures/lean_es_201312_1m_trade": bars(16673, "1m", "CME_Equity"),
    "futures/lean_es_201403_1m_quote": bars(11605, "1m", "CME_Equity", blank=255 + 287),
    "futures/lean_es_201403_1m_trade": bars(5116, "1m", "CME_Equity", zero_volume=38),
    "futures/lean_es_201406_1m_quote": bars(8135, "1m", "CME_Equity", blank=470 + 464),
    "futures/lean_es_201406_1m_trade": bars(442, "1m", "CME_Equity", zero_volume=9),
    "futures/lean_es_202003_1m_quote": bars(1429, "1m", "CME_Equity"),
    "futures/lean_es_202003_1m_trade": bars(1425, "1m", "CME_Equity"),
    "futures/nt_6eh4_1m_202401": bars(29996, "1m", "CME_FX", "end"),
    "futures/yahoo_cl_5m": bars(2514, "5m", "CME_Energy", zero_volume=1),
    "futures/yahoo_es_5m": bars(2513, "5m", "CME_Equity", zero_volume=9),
    "futures/yahoo_mnq_1h": bars(1469, "1h", "CME_Equity", zero_volume=56, off_the_grid=4),
    "futures/yahoo_mnq_5m": bars(13445, "5m", "CME_Equity", zero_volume=43, missing_sessions=1),
    "intraday/lean_aapl_1h": bars(40831, "1h", "NYSE"),
    "intraday/lean_aapl_1m_quote": bars(2512, "1m", "NYSE"),
    "intraday/lean_aapl_1m_trade": bars(2303, "1m", "NYSE"),
    "intraday/lean_spx_1m": bars(1812, "1m", "NYSE", zero_volume=990),
    "intraday/lean_spy_1h": bars(40832, "1h", "NYSE", missing_sessions=0),
    "intraday/lean_spy_1m_quote": bars(6373, "1m", "NYSE"),
    "intraday/lean_spy_1m_trade": bars(5786, "1m", "NYSE"),
    # The row that is there twice has no volume: one less than in the description.
    "intraday/mt_nvda_1h": bars(
        8355, "1h", "NYSE", duplicate=1, zero_volume=4853 - 1, off_the_grid=3505
    ),
    "intraday/mt_nvda_1m": bars(5753, "1m", "NYSE", duplicate=1, zero_volume=3408 - 1),
    "intraday/mt_spy_1m": bars(5617, "1m", "NYSE", zero_volume=3273),
    "intraday/nt_spy_1m_201101": bars(14180, "1m", "NYSE", "end", missing_bars=0),
    "intraday/yahoo_spy_5m": bars(11195, "5m", "NYSE", zero_volume=6576),
}


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_imports_and_its_defects_are_the_known_ones(
    real_file: Callable[[str], Path], name: str
) -> None:
    expected = FILES[name]
    raw = read_file(real_file(f"{name}.csv.gz"), expected.how)
    found = check(raw, "X")

    assert period_text(raw.period) == expected.period
    assert raw.rows.size == expected.rows
    assert len(found.bars) + found.rejected.height == expected.rows
    defects = dict(expected.defects)
    assert {r: found.count(r) for r in ROW_RULES if found.count(r)} == {
        r: n for r, n in defects.items() if r in ROW_RULES
    }
    for rule, count in defects.items():
        assert found.count(rule.replace("_", " ")) == count, rule
    if expected.period == "1d" and expected.how.calendar == "NYSE":
        assert found.count("missing sessions") == defects.get("missing_sessions", 0)
        assert found.count("dates outside") == defects.get("dates_outside", 0)
    assert found.count("zero volume") == defects.get("zero_volume", 0)
    # the stamps' edge is given rightly here, so it must not be doubted
    assert (found.count("label"), found.count("zone")) == (0, 0)


def test_the_wrong_label_of_a_real_file_is_doubted(real_file: Callable[[str], Path]) -> None:
    path = real_file("intraday/lean_spx_1m.csv.gz")
    # The index runs from 08:30 to 15:00 and after; only the label "end" puts a bar before it.
    found = doubted(path, "end")
    assert "--label start" in found
    assert doubted(path, "start") == ""


def doubted(path: Path, label: str) -> str:
    how = Reading(calendar="NYSE", label=label, zone="America/Chicago")
    found: Checked = check(read_file(path, how), "X")
    return " ".join(f.text for f in found.findings if f.rule == "label")


def test_dollar_bars_need_a_period(real_file: Callable[[str], Path]) -> None:
    path = real_file("futures/es_dollar_bars_2015_2016.csv.gz")
    raw = read_file(path, Reading(calendar="CME_Equity", period="1m"))
    assert len(check(raw, "ES").bars) == 24079


def test_quotes_of_one_side_lack_what_was_not_quoted(real_file: Callable[[str], Path]) -> None:
    path = real_file("futures/lean_es_201312_1m_quote.csv.gz")
    for side, blank in (("bid", 49), ("ask", 19)):
        raw = read_file(path, Reading(calendar="CME_Equity", side=side))
        assert check(raw, "ES").count("blank") == blank


def test_the_minutes_of_a_session_are_all_there_in_the_named_zone_only(
    real_file: Callable[[str], Path],
) -> None:
    # 390 minutes on all 20 days; the stamps are UTC and say so
    raw = read_file(real_file("intraday/nt_spy_1m_201101.csv.gz"), Reading(calendar="NYSE"))
    found = check(raw, "SPY").bars
    from intrabar.data import calendars

    inside = calendars.is_open("NYSE", found.open_time)
    _, counts = np.unique(found.session[inside], return_counts=True)
    assert counts.tolist() == [390] * 20
