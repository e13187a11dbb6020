"""The tables of a run: their columns, and that their money adds up."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.bars import Action, Detail, Market
from intrabar.model.enums import ActionKind, PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtOpen
from tests.strategy.markets import MINUTE_NS, NAN, flat_market, market_from, run_of, walk

PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"


def documented() -> dict[str, list[str]]:
    """Table -> columns, as docs/architecture.md has them."""
    rows = re.findall(r"^\| (\w+) \| (\w+(?:, \w+)+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: columns.split(", ") for name, columns in rows}


def busy(market: Any, **how: Any) -> Any:
    """Four strategies at once, costs on everything."""
    how.setdefault(
        "instruments",
        [
            Instrument(s, 0.01, 3.0, 1.0, 0.4, 0.7, 0.0002, slippage_ticks=1.0, slippage_pct=0.0001)
            for s in market.symbols
        ],
    )
    return run_of(
        market,
        Bot(CoinFlip(1, 0.3), FixedRatio(5)),
        Bot(CoinFlip(2, 0.3), TrailingATR(5)),
        Signals(
            {s: [1, NAN, 0, -1, NAN] * (len(market) // 5) for s in market.symbols}, 7.0, 0.6, 1.1
        ),
        Bot(CoinFlip(3, 0.3), FixedRatio(5, reward=0.0), 0.0, 5.0),
        **how,
    )


@pytest.mark.parametrize("table", list(documented()))
def test_a_table_has_the_columns_of_the_documentation(table: str) -> None:
    for result in (busy(walk(200, 3, ("A", "B"))), run_of(flat_market(20), Signals("HOLD"))):
        assert getattr(result, table).columns == documented()[table]


def test_all_documented_tables_are_checked() -> None:
    told = {"fills", "orders", "campaigns", "trades", "equity", "gates", "ledger", "levels"}
    assert set(documented()) == told


def test_times_are_utc_and_words_are_lower_case() -> None:
    result = busy(walk(200, 3, ("A", "B")))
    for name in ("fills", "orders", "campaigns", "trades", "equity", "ledger", "levels"):
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


def eventful(market: Market, seed: int, rates: bool) -> Market:
    """The same market with splits, dividends and rolls, a trade date every 40 bars, and rates."""
    draw = np.random.default_rng(seed)
    actions = []
    for bar in sorted(draw.integers(5, len(market), 12).tolist()):
        j = int(draw.integers(0, len(market.symbols)))
        if np.isnan(market.open[bar, j]):
            continue
        kind = (ActionKind.SPLIT, ActionKind.DIVIDEND, ActionKind.ROLL)[int(draw.integers(0, 3))]
        value = {
            ActionKind.SPLIT: float(draw.choice((0.5, 2.0, 1.5))),
            ActionKind.DIVIDEND: 0.37,
            ActionKind.ROLL: float(market.open[bar, j]) - 1.23,
        }[kind]
        actions.append(Action(bar, j, kind, value))
    day = 19_000 + np.arange(len(market), dtype=np.int64) // 40
    moves = np.exp(np.cumsum(draw.normal(0, 0.01, market.close.shape), axis=0))
    return replace(market, actions=tuple(actions), day=day, fx=moves if rates else None)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.booleans(), st.sampled_from((0.0, 0.2)), st.booleans())
def test_several_strategies_are_explained_over_actions_nights_rates_and_caps(
    seed: int, rates: bool, missing: float, close_at_end: bool
) -> None:
    market = eventful(walk(200, seed, ("A", "B"), missing=missing), seed, rates)
    instruments = [
        Instrument(
            symbol,
            point_value=3.0,
            commission_rate=0.0002,
            fee_per_trade=0.7,
            slippage_ticks=1.0,
            max_volume_share=0.002,
            borrow_rate=0.03,
            swap_long=-0.02,
            swap_short=0.01,
            currency="EUR" if rates else "USD",
        )
        for symbol in market.symbols
    ]
    how = {"interest_rate": 0.02, "debit_rate": 0.05, "close_at_end": close_at_end}
    result = busy(market, instruments=instruments, **how)
    fills, ledger = result.fills, result.ledger
    gained = result.equity["equity"][-1] - 100_000.0
    accrued = math.fsum(ledger["amount"])
    near = {"rel": 1e-9, "abs": 1e-4}  # 1e-9 of the equity
    assert math.fsum(result.campaigns["net"]) + accrued == pytest.approx(gained, **near)
    # A closed campaign's gross is what its own fills realized.
    ended = fills.filter(pl.col("position") == 0.0)
    assert ended.height > 0
    per_sleeve = result.campaigns.filter(pl.col("end_bar").is_not_null())
    for (strategy, symbol), own in per_sleeve.group_by("strategy", "symbol"):
        mine = fills.filter(pl.col("strategy") == strategy, pl.col("symbol") == symbol)
        until = own["end"].max()
        realized = mine.filter(pl.col("time") <= until)["realized"].sum()
        still = result.campaigns.filter(
            pl.col("strategy") == strategy,
            pl.col("symbol") == symbol,
            pl.col("end_bar").is_null(),
        )
        if still.height == 0:
            assert own["gross"].sum() == pytest.approx(realized, **near)
    held: dict[tuple[str, str], float] = {}
    for row in fills.rows(named=True):
        held[row["strategy"], row["symbol"]] = row["position"]
    net = {s: sum(q for (_, symbol), q in held.items() if symbol == s) for s in market.symbols}
    last = result.bars_done - 1
    worth = 3.0 * (np.ones(2) if market.fx is None else market.fx[last])
    notional = sum(
        abs(net[s]) * market.close[last, j] * worth[j] for j, s in enumerate(market.symbols)
    )
    if result.status.word == "ruined":  # a fraction of nothing
        notional = 0.0
    exposure = result.equity["exposure"][-1] * result.equity["equity"][-1]
    assert exposure == pytest.approx(notional, rel=1e-9, abs=1e-4)
    assert ledger["cash"].dtype == pl.Float64
    assert set(ledger["kind"]) <= {"dividend", "borrow", "swap", "interest"}


def test_a_ledger_line_names_whom_it_belongs_to() -> None:
    action = Action(3, 0, ActionKind.DIVIDEND, 2.0)
    day = np.array([0, 0, 0, 0, 1, 1], np.int64)
    market = replace(flat_market(6), actions=(action,), day=day)
    instrument = Instrument("A", borrow_rate=0.365)
    result = run_of(
        market, Signals("SHORT", 10), instruments=[instrument], interest_rate=0.0365, cash=1_000.0
    )
    rows = result.ledger.select("bar", "strategy", "symbol", "kind", "amount", "cash").rows()
    assert rows[0] == (3, "s", "A", "dividend", -20.0, 980.0)
    assert rows[1] == (4, None, "A", "borrow", pytest.approx(-1.0), pytest.approx(979.0))
    assert rows[2] == (4, None, None, "interest", pytest.approx(0.098), pytest.approx(979.098))
    assert len(rows) == 3


def test_days_are_trade_dates_where_the_market_has_them() -> None:
    market = walk(300, 4, period=15 * MINUTE_NS)
    dated = replace(market, day=19_000 + np.arange(300, dtype=np.int64) // 100)
    own, utc = (run_of(m, Signals([1.0] * 300)) for m in (dated, market))
    closes = own.equity["equity"].to_numpy()[[99, 199, 299]]
    r = closes / np.concatenate([[100_000.0], closes[:-1]]) - 1.0
    assert own.metrics.values["volatility"] == pytest.approx(np.std(r, ddof=1) * math.sqrt(252))
    assert utc.metrics.values["volatility"] != own.metrics.values["volatility"]


def test_bars_without_detail_are_counted_under_that_policy() -> None:
    market = walk(10, 1, missing=0.0)
    count = np.zeros((10, 1), np.int64)
    count[:4] = 1
    bars = np.column_stack([market.open, market.high, market.low, market.close])[:4]
    detail = Detail(np.arange(10, dtype=np.int64)[:, None] % 4, count, bars)
    told = replace(market, detail=detail)
    assert run_of(told, Signals("HOLD")).without_detail is None
    assert run_of(told, Signals("HOLD"), path_policy=PathPolicy.DETAIL).without_detail == 6
    assert run_of(market, Signals("HOLD"), path_policy=PathPolicy.DETAIL).without_detail == 10


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
