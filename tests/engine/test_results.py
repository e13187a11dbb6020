"""The tables of a run: their columns, and that their money adds up."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtOpen
from tests.strategy.markets import NAN, flat_market, market_from, run_of, walk

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def documented() -> dict[str, list[str]]:
    """Table -> columns, as docs/architecture.md has them."""
    rows = re.findall(r"^\| (\w+) \| (\w+(?:, \w+)+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: columns.split(", ") for name, columns in rows}


def busy(market: Any, **how: Any) -> Any:
    """Four strategies at once, costs on everything."""
    instruments = [
        Instrument(s, 0.01, 3.0, 1.0, 0.4, 0.7, 0.0002, slippage_ticks=1.0, slippage_pct=0.0001)
        for s in market.symbols
    ]
    return run_of(
        market,
        Bot(CoinFlip(1, 0.3), FixedRatio(5)),
        Bot(CoinFlip(2, 0.3), TrailingATR(5)),
        Signals([1, NAN, 0, -1, NAN] * (len(market) // 5), 7.0, 0.6, 1.1),
        Bot(CoinFlip(3, 0.3), FixedRatio(5, reward=0.0), 0.0, 5.0),
        instruments=instruments,
        **how,
    )


@pytest.mark.parametrize("table", list(documented()))
def test_a_table_has_the_columns_of_the_documentation(table: str) -> None:
    for result in (busy(walk(200, 3, ("A", "B"))), run_of(flat_market(20), Signals("HOLD"))):
        assert getattr(result, table).columns == documented()[table]


def test_all_documented_tables_are_checked() -> None:
    assert set(documented()) == {"fills", "orders", "campaigns", "trades", "equity", "gates"}


def test_times_are_utc_and_words_are_lower_case() -> None:
    result = busy(walk(200, 3, ("A", "B")))
    for name in ("fills", "orders", "campaigns", "trades", "equity"):
        table = getattr(result, name)
        for column, kind in table.schema.items():
            if column.endswith("time") or column in ("start", "end"):
                assert kind == pl.Datetime("ns", "UTC"), (name, column)
            if kind == pl.String and column not in ("symbol", "strategy"):
                words = table[column].drop_nulls()
                assert (words == words.str.to_lowercase()).all()
    assert set(result.fills["side"]) == {"buy", "sell"}
    assert (result.fills["qty"] > 0).all()


def test_numbers_and_prices_of_the_tables_are_doubles() -> None:
    result = busy(walk(200, 3))
    for name in ("qty", "price", "cost", "realized", "position", "stop", "target"):
        assert result.fills.schema[name] == pl.Float64


@settings(max_examples=30)
@given(
    st.integers(0, 999),
    st.sampled_from((1, 2)),
    st.sampled_from((0.0, 0.2)),
    st.booleans(),
    st.sampled_from(list(PathPolicy)),
)
def test_profits_and_costs_explain_the_equity(
    seed: int, count: int, missing: float, close_at_end: bool, policy: PathPolicy
) -> None:
    market = walk(200, seed, ("A", "B")[:count], missing=missing)
    result = busy(market, close_at_end=close_at_end, path_policy=policy)
    initial = 100_000.0
    last = result.equity["equity"][-1]
    value = {x.symbol: x.point_value for x in result.setup.instruments}
    # Open lots by hand, first in first out, from the fills alone.
    lots: dict[tuple[str, str], list[list[float]]] = {}
    for f in result.fills.rows(named=True):
        book = lots.setdefault((f["strategy"], f["symbol"]), [])
        sign = 1.0 if f["side"] == "buy" else -1.0
        left = f["qty"]
        share = f["cost"] / f["qty"]
        while left > 1e-9 and book and book[0][0] * sign < 0:
            taken = min(left, abs(book[0][0]))
            book[0][0] += sign * taken
            left -= taken
            if abs(book[0][0]) < 1e-9:
                book.pop(0)
        if left > 1e-9:
            book.append([sign * left, f["price"], share])
    open_profit = open_costs = 0.0
    closes = dict(zip(market.symbols, market.close[-1], strict=True))
    for (_, symbol), book in lots.items():
        for qty, price, share in book:
            open_profit += qty * (closes[symbol] - price) * value[symbol]
            open_costs += abs(qty) * share
    explained = math.fsum(result.trades["net"]) + open_profit - open_costs
    assert abs(last - initial - explained) <= 1e-9 * max(1.0, abs(last))
    by_fill = result.fills["realized"].sum() - result.fills["cost"].sum()
    assert abs(result.equity["cash"][-1] - initial - by_fill) <= 1e-9 * abs(last)
    by_campaign = math.fsum(result.campaigns["net"])
    assert abs(last - initial - by_campaign) <= 1e-9 * max(1.0, abs(last))
    if close_at_end and missing == 0.0:
        assert open_profit == open_costs == 0.0


class OneBracket(Strategy):
    """Enters at the open of the second bar with one bracket."""

    def __init__(self, side: int, entry: float, stop: float, target: float) -> None:
        self.order = (side, entry, stop, target)

    def on_open(self, now: AtOpen) -> None:
        side, entry, stop, target = self.order
        if now.bar == 1:
            submit = now.buy if side > 0 else now.sell
            submit(1, stop=None if math.isnan(entry) else entry, stop_loss=stop, take_profit=target)


@st.composite
def single_bars(draw: st.DrawFn) -> tuple[list[float], tuple[int, float, float, float]]:
    """One bar on a grid of 1, and a bracket around its open."""
    low, span = draw(st.integers(50, 100)), draw(st.integers(1, 20))
    open_, close = (draw(st.integers(low, low + span)) for _ in range(2))
    side = draw(st.sampled_from((1, -1)))
    away = draw(st.one_of(st.none(), st.integers(0, 12)))
    entry = math.nan if away is None else open_ + side * away
    start = open_ if away is None else entry
    stop = start - side * draw(st.integers(1, 12))
    target = start + side * draw(st.integers(1, 12))
    bar = [float(x) for x in (open_, low + span, low, close)]
    return bar, (side, float(entry), float(stop), float(target))


@settings(max_examples=200)
@given(single_bars())
def test_worst_never_ends_above_best_for_one_bracket_on_one_bar(
    case: tuple[list[float], tuple[int, float, float, float]],
) -> None:
    bar, bracket = case
    market = market_from([[bar[0]] * 4, bar])
    ends = {}
    for policy in PathPolicy:
        if policy in (PathPolicy.RANDOM, PathPolicy.CALIBRATED):
            continue
        ends[policy] = run_of(market, OneBracket(*bracket), path_policy=policy).equity["equity"][-1]
    assert ends[PathPolicy.WORST] <= ends[PathPolicy.BEST]
    assert ends[PathPolicy.WORST] <= ends[PathPolicy.SHORTEST] <= ends[PathPolicy.BEST]


def test_the_band_is_the_run_under_three_paths_and_leaves_the_run_as_it_was() -> None:
    market = walk(300, 5, wild=0.01)
    result = run_of(market, Bot(CoinFlip(1, 0.5), FixedRatio(3, 0.5, 1.0), 0.0, 5.0))
    digest = result.digest
    band = {edge.policy: edge for edge in result.band}
    assert list(band) == [PathPolicy.WORST, PathPolicy.SHORTEST, PathPolicy.BEST]
    assert band[PathPolicy.WORST].end_equity == result.equity["equity"][-1]
    assert band[PathPolicy.WORST].end_equity < band[PathPolicy.BEST].end_equity
    assert result.digest == digest


def test_a_ruined_run_ends_where_it_was_ruined() -> None:
    rows = [[100.0] * 4, [100.0] * 4, [100.0, 100.0, 40.0, 40.0], [40.0] * 4, [40.0] * 4]
    result = run_of(market_from(rows), Signals("LONG", 100), cash=5_000.0)
    assert result.status.word == "ruined"
    assert result.equity["bar"].to_list() == [0, 1, 2]
    assert result.equity["equity"][-1] == -1_000.0
