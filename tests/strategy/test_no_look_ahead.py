"""Changing every bar after T changes nothing that was decided or filled up to T."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.engine.outcome.result import Result
from intrabar.exits import FixedPercent, FixedRatio, TrailingATR
from intrabar.indicators import bollinger, ema, rsi
from intrabar.model.bars import Market
from intrabar.model.enums import PathPolicy
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.gates import Gates
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import FillNotice, OrderNotice, Strategy
from intrabar.strategy.views import AtClose, AtOpen
from intrabar.strategy.weights import Weights
from tests.strategy.markets import AtALimit, AtAStop, other_future, run_of, walk

BARS = 240
FIVE = 5 * 60_000_000_000


@dataclass
class SeesEverything(Strategy):
    """Writes down all that each phase shows, and trades on it."""

    seen: list[Any] = field(default_factory=list)

    def indicators(self) -> dict[str, Any]:
        return {"fast": ema(5), "rsi": rsi(7), "upper": bollinger(10, 2.0).upper}

    def see(self, now: Any, names: tuple[str, ...]) -> None:
        for view in now:
            self.seen.append(
                (
                    now.bar,
                    view.symbol,
                    view.time,
                    view.is_flat,
                    view.position,
                    view.equity,
                    view.cash,
                    *(getattr(view, name) for name in names),
                    *(view[name] for name in ("fast", "rsi", "upper")),
                    *view.history("close", 3).tolist(),
                    *view.history("high", 2).tolist(),
                    *view.history("fast", 2).tolist(),
                    view.of(now.symbol).open,
                )
            )

    def on_open(self, now: AtOpen) -> None:
        self.see(now, ("open", "previous_close"))
        for view in now:
            if view.is_flat and view.open > view.previous_close:
                view.buy(1, stop_loss=view.open - 1, take_profit=view.open + 1.5)
            elif view.open == view.open and now.bar % 7 == 0:
                view.sell(1, stop=view.open - 0.5, tif="ioc")

    def on_close(self, now: AtClose) -> None:
        self.see(now, ("open", "high", "low", "close", "volume"))
        for view in now:
            if not view.is_flat and view["rsi"] > 60:
                view.close_position()
            elif view["fast"] < view.close and now.bar % 5 == 0:
                view.sell(2, limit=view.high + 0.2, tif="day")
            elif now.bar % 11 == 0:
                view.buy(1, at_close=True)

    def on_fill(self, fill: FillNotice, now: AtOpen) -> None:
        self.seen.append((now.bar, fill))

    def on_order(self, order: OrderNotice, now: AtOpen) -> None:
        self.seen.append((now.bar, order))


def mean_reversion(market: Market) -> Signals:
    """Made with polars from the bars, as a user makes them."""
    bars = pl.DataFrame({"close": market.close[:, 0]})
    average = pl.col("close").rolling_mean(10)
    side = bars.select(
        pl.when(pl.col("close") < average * 0.995)
        .then(pl.lit("LONG"))
        .when(pl.col("close") > average * 1.005)
        .then(pl.lit("SHORT"))
        .otherwise(pl.lit("HOLD"))
    ).to_series()
    return Signals({market.symbols[0]: side}, qty=3, stop=1.0, target=2.0)


class AsksTooMuch(Strategy):
    """Stops and targets about the last price, half of them on the wrong side."""

    def on_open(self, now: AtOpen) -> None:
        edge = now.open + 0.02 * (now.bar % 5 - 2)
        now.order(1 if now.bar % 2 else -1, 2, stop_loss=edge)
        now.modify_stop_loss(edge)

    def on_close(self, now: AtClose) -> None:
        now.modify_take_profit(now.close + 0.02 * (now.bar % 7 - 3))
        if now.bar % 4 == 0:
            now.close_position()

    def on_fill(self, fill: FillNotice, now: AtOpen) -> None:
        if now.bar % 3 == 0:
            now.buy(1, stop_loss=fill.price - 0.01, take_profit=now.open + 0.5)


MADE = {
    "coin, fixed": lambda _: Bot(CoinFlip(3, 0.5), FixedRatio(5)),
    "coin, trailing": lambda _: Bot(CoinFlip(4, 0.5), TrailingATR(5, 2.0)),
    "crossover": lambda _: Bot(MovingAverageCrossover(3, 8), FixedRatio(5, 1.0)),
    "trend": lambda _: Bot(TrendFollowing(3, 8), TrailingATR(5)),
    "breakout, gates": lambda _: Bot(
        TrendFollowing(3, 8, 0.5),
        FixedRatio(5),
        gates=Gates(False, 0.3, 5, "17:00", 60.0, 0.02),
    ),
    "limits, out by signal": lambda _: Bot(AtALimit(), FixedPercent(0.004, 0.01)),
    "stops, part of equity": lambda _: Bot(
        AtAStop(), FixedPercent(0.004, 0.0), equity_fraction=0.5
    ),
    "signals": mean_reversion,
    "weights": lambda market: Weights(np.tanh(np.round(market.close - 100.0))),
    "python": lambda _: SeesEverything(),
    "refused": lambda _: AsksTooMuch(),
}


def up_to(result: Result, last: int) -> dict[str, Any]:
    """All that was decided, submitted, filled and recorded at bar `last` and before."""
    orders = result.orders.filter(pl.col("submitted_bar") <= last)
    done_later = (pl.col("done_bar") > last).fill_null(value=True)
    changing = ("filled", "status", "done_bar", "done_time", "qty", "limit_price", "stop_price")
    orders = orders.with_columns(pl.when(~done_later).then(pl.col(*changing)))
    strategy = result.setup.strategies["s"]
    seen = [x for x in strategy.seen if x[0] <= last] if isinstance(strategy, SeesEverything) else 0
    return {
        "fills": result.fills.filter(pl.col("bar") <= last).rows(),
        "orders": repr(orders.rows()),
        "levels": repr(result.levels.filter(pl.col("bar") <= last).rows()),
        "equity": result.equity.filter(pl.col("bar") <= last).rows(),
        "seen": repr(seen),
    }


@pytest.mark.parametrize("made", MADE)
def test_the_past_stays_when_the_future_changes(made: str) -> None:
    symbols = ("A", "B") if made == "python" else ("A",)
    market = walk(BARS, 5, symbols, missing=0.1 if made == "python" else 0.0, period=FIVE)
    told = run_of(market, MADE[made](market))
    assert told.fills.height > 5
    differs = 0
    for last in range(15, BARS - 2, 9):
        changed = other_future(market, last, seed=last)
        other = run_of(changed, MADE[made](changed))
        before, after = up_to(told, last), up_to(other, last)
        for name in before:
            assert repr(before[name]) == repr(after[name]), (name, last)
        differs += told.digest != other.digest
    assert differs > 10  # the futures do differ


@settings(max_examples=30)
@given(
    st.integers(0, 999),
    st.integers(20, BARS - 2),
    st.sampled_from(list(MADE)),
    st.sampled_from(list(PathPolicy)),
)
def test_the_past_stays_under_every_path(
    seed: int, last: int, made: str, policy: PathPolicy
) -> None:
    market = walk(BARS, seed, period=FIVE)
    changed = other_future(market, last, seed)
    one = run_of(market, MADE[made](market), path_policy=policy)
    two = run_of(changed, MADE[made](changed), path_policy=policy)
    assert repr(up_to(one, last)) == repr(up_to(two, last))


def test_python_sees_at_open_only_what_the_bar_before_has_left() -> None:
    market = walk(40, 2)
    strategy = SeesEverything()
    run_of(market, strategy)
    opens = {}
    for row in strategy.seen:
        if len(row) > 2:
            opens.setdefault(row[0], row)
    bar = 30
    row = opens[bar]
    assert row[7] == market.open[bar, 0]
    assert row[8] == market.close[bar - 1, 0]
    closes = row[12:15]
    assert closes == tuple(market.close[bar - 3 : bar, 0])
    assert not np.isnan(row[9])
