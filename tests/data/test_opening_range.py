"""The example of the opening range on ES minutes as a vendor delivers them, imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from tests.examples.opening_range import opening_range

CHICAGO = ZoneInfo("America/Chicago")


def by_hand(bars: pl.DataFrame) -> dict[Any, tuple[Any, str, float]]:
    """Date -> the minute of the entry, its side and its price, by the local time of the opens."""
    found = {}
    for day in bars["local"].dt.date().unique().sort():
        own = bars.filter(pl.col("local").dt.date() == day)
        time = own["local"].dt.time()
        half = own.filter((time >= pl.time(8, 30)) & (time < pl.time(9)))
        after = own.filter((time >= pl.time(9)) & (time < pl.time(14, 59)))
        if half.height < 30 or not after.height:
            continue
        top, bottom = half["high"].max(), half["low"].min()
        broken = after.filter((pl.col("high") >= top) | (pl.col("low") <= bottom))
        if not broken.height:
            continue
        first = broken.row(0, named=True)
        if first["high"] >= top and first["low"] <= bottom:
            continue  # which comes first nobody knows
        side, level = ("buy", top) if first["high"] >= top else ("sell", bottom)
        price = max(level, first["open"]) if side == "buy" else min(level, first["open"])
        found[day] = (first["local"], side, price)
    return found


@pytest.mark.parametrize(("month", "days"), [("201312", 5), ("201403", 2)])
def test_entries_and_exits_are_those_worked_out_by_hand(
    month: str,
    days: int,
    real_file: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTRABAR_CATALOGUE", str(tmp_path / "catalogue"))
    file = str(real_file(f"futures/lean_es_{month}_1m_trade.csv.gz"))
    assert run(["data", "import", file, "--symbol", "ES", "--zone", "UTC"]) == 0
    result = ib.backtest(
        opening_range(30), symbols="ES", period="1m", instruments={"ES": {"slippage_ticks": 0}}
    )
    market = result.market
    minutes = pl.DataFrame({"time": pl.Series(market.open_time[:, 0]).cast(pl.Datetime("ns"))})
    columns = {x: getattr(market, x)[:, 0] for x in ("open", "high", "low", "close")}
    local = minutes["time"].dt.replace_time_zone("UTC").dt.convert_time_zone("America/Chicago")
    bars = minutes.with_columns(local=local, **{k: pl.Series(v) for k, v in columns.items()})
    expected = by_hand(bars)
    assert len(expected) >= days
    found = {}
    for one in result.campaigns.iter_rows(named=True):
        entry = bars.row(one["start_bar"], named=True)["local"]
        end = bars.row(one["end_bar"], named=True)["local"]
        assert entry.date() == end.date()
        assert end.hour < 15
        first = result.fills.filter(pl.col("bar") == one["start_bar"]).row(0, named=True)
        found[entry.date()] = (entry, first["side"], first["price"])
    assert {day: found.get(day) for day in expected} == expected
