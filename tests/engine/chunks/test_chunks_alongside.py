"""What happens alongside the bars, in chunks of any size, against the run at one go."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from intrabar.data.actions import actions_of
from intrabar.data.alongside import Alongside
from intrabar.data.continuous import Roll
from intrabar.data.margins import Margins
from intrabar.data.market import RateSources, market_of
from intrabar.data.pieces import WholeFeed, pieces
from intrabar.data.rates import pairs_of
from intrabar.data.series import given_series
from intrabar.data.timeline import market_from_bars
from intrabar.engine.chunks.ranges import CarriedRanges
from intrabar.engine.chunks.run import ChunkedRun
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.indicators import Indicator, atr, cross, ema, highest, price, sma, talib
from intrabar.model.bars import Bars
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.sim.tape import mean_range
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, TrendFollowing
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose, AtOpen
from intrabar.strategy.weights import Weights
from tests.engine.chunks.test_chunks import DAY, HOUR, START, same, walk

FIRST_DAY = START // DAY
BARS = 220


def day(k: int) -> str:
    return str(np.datetime64(int(FIRST_DAY + k), "D"))


class Watching(Strategy):
    """Reads indicators of its own bars and of longer ones, and histories over actions."""

    def indicators(self) -> dict[str, Indicator]:
        return {
            "fast": sma(5),
            "slow": ema(20),
            "range": atr(10),
            "top": highest(30),
            "talib": talib("WMA", timeperiod=8),
            "day": sma(3).on("1d"),
            "four": ema(4).on("4h"),
            "over": cross(price("close"), sma(2).on("1d")),
        }

    def on_open(self, now: AtOpen) -> None:
        if now.bar % 19 == 0 and now.history("close", 2).mean() > now["slow"]:
            now.sell(1, limit=now.previous_close * 1.01)

    def on_close(self, now: AtClose) -> None:
        for one in now:
            if not 0.7 < one.history("close", 2)[0] / one.close < 1.4:
                one.sell(1)  # a split that is not taken out
            if one.bar % 5 == 0 and one["fast"] > one["four"]:
                one.buy(4, stop_loss=one.close - 3 * one["range"])
            if one.bar % 13 == 0 and one["fast"] < one["day"]:
                one.sell(3, take_profit=one.close - 2 * one["range"])
            if one["over"] != 0.0 or one.history("close", 2)[0] > one["top"]:
                one.close_position()


def random_signals(rows: int) -> Signals:
    draw = np.random.default_rng(5)
    side = draw.choice([-1.0, 0.0, 1.0, np.nan], rows, p=[0.1, 0.1, 0.1, 0.7])
    return Signals({"A": side}, qty={"A": draw.integers(1, 4, rows) * 1.0}, stop={"A": 2.0})


def random_weights(rows: int, columns: int) -> Weights:
    draw = np.random.default_rng(6)
    rare = draw.random((rows, 1)) < 0.1
    return Weights(np.where(rare, draw.uniform(-0.2, 0.3, (rows, columns)), np.nan))


class Scene:
    """A market with everything alongside it, at one go and in chunks."""

    def __init__(self, strategies: dict[str, AnyStrategy], **account: Any) -> None:
        self.bars = [walk("A", 1, BARS), walk("EURUSD", 2, BARS, missing=0.3)]
        rows = len(np.union1d(*(b.close_time for b in self.bars)))
        self.strategies = {
            **strategies,
            "signals": random_signals(rows),
            "weights": random_weights(rows, 2),
        }
        self.account = Account(cash=50_000.0, currency="USD", **account)
        self.instruments = (
            Instrument(
                "A", currency="EUR", calendar="", slippage_volatility=0.05,
                initial_margin_rate=0.2, maintenance_margin_rate=0.1, borrow_rate=0.03,
            ),
            Instrument(
                "EURUSD", tick_size=0.01, slippage_impact=0.1, max_volume_share=0.5,
                fee_per_trade=1.0, initial_margin=20.0, maintenance_margin=10.0,
            ),
        )  # fmt: skip
        splits = [(day(0), 2.0, 0.0), (day(3), 2.0, 0.5), (day(5), 1.0, 1.0), (day(7), 0.5, 0.0)]
        a, b = self.bars
        rolls = tuple(
            Roll(int(b.close_time[k]), float(b.open[k] * by), "old", "new")
            for k, by in ((0, 1.0), (60, 1.01), (110, 0.99))
        )
        margins = tuple(
            (int(FIRST_DAY + k), dict.fromkeys(MARGINS, np.nan) | {"initial_margin": value})
            for k, value in ((-5, 15.0), (2, 25.0), (2, 30.0), (6, 12.0))
        )
        self.alongside = (
            Alongside(actions=actions_of(splits, "A"), detail=WholeFeed(lower(a))),
            Alongside(margins=Margins("EURUSD", margins, "", ""), rolls=rolls),
        )

    @cached_property
    def whole(self) -> Result:
        series = [
            replace(
                given_series(bars, ""),
                actions=x.actions,
                margins=x.margins,
                rolls=x.rolls,
                detail=x.detail.bars if isinstance(x.detail, WholeFeed) else None,
            )
            for bars, x in zip(self.bars, self.alongside, strict=True)
        ]
        is_detail = self.account.path_policy is PathPolicy.DETAIL
        market = market_of(
            series, self.instruments, self.account.currency, RateSources(), with_detail=is_detail
        )[0]
        assert market.fx is not None
        assert len({a.kind for a in market.actions}) == 4
        return finish(Run(Setup(market, self.instruments, self.strategies, self.account)))

    def in_chunks(self, chunk: int, folder: Path) -> None:
        feeds = tuple(WholeFeed(b) for b in self.bars)
        pairs = {pair: WholeFeed(b) for pair, b in pairs_of(self.bars).items()}
        setup = ChunkedSetup(
            feeds, self.instruments, self.strategies, self.account, chunk, None,
            self.alongside, pairs,
        )  # fmt: skip
        same(ChunkedRun(setup, folder).to_end(), self.whole)


MARGINS = (
    "initial_margin", "maintenance_margin", "initial_margin_rate", "maintenance_margin_rate",
)  # fmt: skip


def lower(bars: Bars) -> Bars:
    """Four bars for each of these but every ninth, which they make up."""
    n = len(bars)
    price = np.stack([bars.open, bars.high, bars.low, bars.close], axis=1)
    if n > 4:  # in some the low comes first
        price[::3, [1, 2]] = price[::3, [2, 1]]
    flat = price.ravel()
    time = (bars.open_time[:, None] + HOUR // 4 * np.arange(1, 5)).ravel()
    kept = np.repeat(np.arange(n) % 9 != 0, 4)
    made = (c[kept] for c in (time, flat, flat, flat, flat, np.ones(4 * n)))
    opens = time[kept] - HOUR // 4
    return Bars(bars.symbol, *made, HOUR // 4, opens, opens // DAY)


@cache
def bots() -> Scene:
    trades = Bot(TrendFollowing(3, 12), TrailingATR(8), risk_fraction=0.0, qty=3.0)
    flips = Bot(CoinFlip(4, 0.4), FixedRatio(5, 0.4, 1.0), risk_fraction=0.001)
    return Scene({"trend": trades, "flips": flips}, path_policy=PathPolicy.DETAIL)


@cache
def python() -> Scene:
    return Scene({"watching": Watching()})


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(2, BARS + 20))
@example(1)
def test_bots_with_everything_alongside(chunk: int) -> None:
    with TemporaryDirectory() as folder:
        bots().in_chunks(chunk, Path(folder))


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(3, BARS + 20))
@example(2)
def test_a_python_strategy_with_everything_alongside(chunk: int) -> None:
    with TemporaryDirectory() as folder:
        python().in_chunks(chunk, Path(folder))


@given(st.integers(1, 70), st.integers(0, 99), st.floats(0.0, 0.8))
def test_mean_ranges_in_pieces(chunk: int, seed: int, missing: float) -> None:
    bars = [walk("A", seed, 90), walk("B", seed + 1, 90, missing)]
    for one in bars:  # closes far outside the next bar, so that gaps count
        one.close[::3] += 5.0
    whole, ranges = mean_range(market_from_bars(bars)), CarriedRanges()
    found = [ranges.advance(p.market) for p in pieces([WholeFeed(b) for b in bars], chunk)]
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_the_scenes_are_busy() -> None:
    for scene in (bots(), python()):
        counts = dict(scene.whole.fills["strategy"].value_counts().iter_rows())
        assert min(counts.get(name, 0) for name in scene.strategies) > 10, counts
        kinds = set(scene.whole.ledger["kind"])
        assert {"dividend", "borrow"} <= kinds
    assert bots().whole.campaigns["settled"].any()
